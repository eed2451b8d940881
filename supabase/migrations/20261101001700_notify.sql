-- Notifying: who is told where, one delivery for each place, and what became of it.

create table public.devices (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  kind text not null check (kind in ('fcm', 'web_push')),
  address text not null unique check (octet_length(address) between 1 and 2048 and address !~ '[[:space:][:cntrl:]]'),
  p256dh text check (p256dh ~ '^[A-Za-z0-9_-]{87}=?$'),
  auth text check (auth ~ '^[A-Za-z0-9_-]{22}(==)?$'),
  platform text not null check (platform in ('android', 'ios', 'web')),
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  constraint devices_keys check ((kind = 'web_push') = (p256dh is not null and auth is not null) and (p256dh is null) = (auth is null)),
  constraint devices_endpoint check (kind <> 'web_push' or address ~ '^https?://')
);
comment on table public.devices is 'Where a user wants to be told. One that its push service no longer knows is removed by the sender.';
comment on column public.devices.address is 'An FCM registration token, or the endpoint of a Web Push subscription. Whoever has it can send there, so only the owner and the sender read it.';
comment on column public.devices.p256dh is 'The browser''s public key, which the message is encrypted for.';
comment on column public.devices.auth is 'The browser''s secret, which the message is encrypted with.';
create index devices_user_id_idx on public.devices (user_id, last_seen_at desc);

alter table public.devices enable row level security;
grant select (id, user_id, kind, address, platform, created_at, last_seen_at), delete on public.devices to authenticated;
grant select (id, user_id, kind, platform, created_at, last_seen_at), delete on public.devices to service_role;
create policy "Users see their devices" on public.devices for select to authenticated using (user_id = (select auth.uid()));
create policy "Users remove their devices" on public.devices for delete to authenticated using (user_id = (select auth.uid()));

create function public.register_device(
  p_kind text,
  p_address text,
  p_platform text,
  p_p256dh text default null,
  p_auth text default null
) returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  v_user_id uuid := (select auth.uid());
  v_id uuid;
  v_missing text;
  v_broken text;
  v_field text;
begin
  -- One after the other, so that the limit below is one.
  perform 1 from public.users u where u.id = v_user_id for no key update;
  if not found then
    raise exception 'Nobody is signed in' using errcode = '42501';
  end if;
  insert into public.devices as d (user_id, kind, address, platform, p256dh, auth)
  values (v_user_id, p_kind, p_address, p_platform, p_p256dh, p_auth)
  on conflict (address) do update
  set kind = excluded.kind, platform = excluded.platform, p256dh = excluded.p256dh, auth = excluded.auth,
    last_seen_at = now(), user_id = excluded.user_id,
    -- In other hands it is another device: what was meant for the one before must not reach the next.
    id = case when d.user_id = excluded.user_id then d.id else gen_random_uuid() end
  returning d.id into v_id;
  delete from public.devices d
  where d.id in (
    select o.id from public.devices o
    where o.user_id = v_user_id and o.id <> v_id
    order by o.last_seen_at desc, o.id
    offset 19
  );
  return v_id;
exception
  -- Otherwise the caller reads the row and the name of a constraint.
  when check_violation or not_null_violation then
    get stacked diagnostics v_missing = column_name, v_broken = constraint_name;
    v_field := case
      when v_missing <> '' then v_missing
      when p_kind not in ('fcm', 'web_push') then 'kind'
      when v_broken = 'devices_endpoint' then 'address'
      when v_broken <> 'devices_keys' then split_part(v_broken, '_', 2)
      -- One key too many, or one that is missing.
      when (p_kind = 'fcm') = (p_p256dh is null) then 'auth'
      else 'p256dh'
    end;
    raise exception 'A device is "fcm" with its registration token, or "web_push" with its https endpoint and both keys, and its platform is "android", "ios" or "web"'
      using errcode = 'GM008', detail = jsonb_strip_nulls(jsonb_build_object(
        'field', 'p_' || v_field,
        'allowed', case v_field
          when 'kind' then '["fcm", "web_push"]'::jsonb
          when 'platform' then '["android", "ios", "web"]'::jsonb
        end
      ))::text;
end;
$$;
comment on function public.register_device(text, text, text, text, text) is
  'Tells where the caller wants to be told: to be called at each start of the app and for each new token. An address that somebody else had on the same device is the caller''s from now on. The twenty seen last are kept. Definer, because the other one''s row is not the caller''s to change.';
revoke all on function public.register_device(text, text, text, text, text) from public;
grant execute on function public.register_device(text, text, text, text, text) to authenticated;

create function app.queue_delivery(p_id uuid, p_channel text, p_start_after timestamptz default now()) returns void
language sql set search_path = ''
as $$
  select app.enqueue(
    'notify-' || p_channel, p_id, jsonb_build_object('delivery_id', p_id), p_start_after => p_start_after
  );
$$;
comment on function app.queue_delivery(uuid, text, timestamptz) is 'Puts one delivery into the queue of its channel.';

create function app.open_deliveries() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_delivery record;
begin
  for v_delivery in
    insert into public.notification_deliveries (notification_id, channel, device_id)
    select new.id, d.kind, d.id from public.devices d where d.user_id = new.user_id
    union all
    select new.id, 'webhook', null
    returning id, channel
  loop
    perform app.queue_delivery(v_delivery.id, v_delivery.channel);
  end loop;
  return null;
end;
$$;
comment on function app.open_deliveries() is 'A notification is to reach each device its user has now, and the app''s backend: in the transaction that writes it, so that neither is there without the other.';

create trigger open_deliveries
after insert on public.notifications
for each row execute function app.open_deliveries();

create function app.ring_notify() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform app.ring('notify');
  return null;
end;
$$;
comment on function app.ring_notify() is 'Wakes the sender.';

-- Rings come last in a transaction, whatever wrote the notification: hence deferred.
create constraint trigger ring_notify
after insert on public.notifications
deferrable initially deferred
for each row execute function app.ring_notify();

create function app.start_notifying(p_ids uuid[])
returns table (
  delivery_id uuid,
  attempts smallint,
  channel text,
  kind text,
  video_id uuid,
  user_id uuid,
  title text,
  body text,
  data jsonb,
  created_at timestamptz,
  thumbnail_path text,
  shows_child boolean,
  address text,
  p256dh text,
  auth text
)
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  -- Whoever deletes videos holds their deliveries in an order of their own, and is not waited for. What is left
  -- out here though it is not over is queued again by app.requeue_deliveries.
  v_ids uuid[] := array(
    select d.id from public.notification_deliveries d
    where d.id = any (p_ids) and d.status = 'pending'
    order by d.id
    for update skip locked
  );
begin
  -- Tried too often, by senders that died: whatever kills them must not go on forever.
  update public.notification_deliveries d
  set status = 'failed', error_code = coalesce(d.error_code, 'sender_died'), finished_at = clock_timestamp()
  where d.id = any (v_ids)
    and d.attempts >= (select s.notify_attempts from app.settings s);
  update public.notification_deliveries d
  set status = 'skipped', error_code = 'device_gone', finished_at = clock_timestamp()
  where d.id = any (v_ids) and d.status = 'pending' and d.device_id is not null
    and not exists (select 1 from public.devices v where v.id = d.device_id);
  return query
  with taken as (
    update public.notification_deliveries d
    set attempts = d.attempts + 1
    where d.id = any (v_ids) and d.status = 'pending'
    returning d.*
  )
  select t.id, t.attempts, t.channel, n.kind, n.video_id, n.user_id, n.title, n.body, n.data, n.created_at,
    v.thumbnail_path, v.avatar_path is not null, g.address, g.p256dh, g.auth
  from taken t
  join public.notifications n on n.id = any (array[t.notification_id])
  join public.videos v on v.id = any (array[n.video_id])
  left join public.devices g on g.id = any (array[t.device_id]);
end;
$$;
comment on function app.start_notifying(uuid[]) is
  'What a sender needs to send these, each counted as a try before it is made. Those that are over already, for a device that is gone, or in somebody''s hands, are left out: their queue jobs are done. shows_child: the thumbnail is a child''s picture, which none but its parents may be sent.';

create function app.finish_notifying(
  p_id uuid,
  p_attempt integer,
  p_outcome text,
  p_error_code text default null,
  p_address text default null,
  p_wait_seconds integer default 0
) returns text
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_delivery public.notification_deliveries;
begin
  select d.* into v_delivery from public.notification_deliveries d where d.id = p_id for update;
  if not found or v_delivery.status <> 'pending' then
    return 'lost';
  end if;
  -- Sent is sent, whoever says so. Anything else is the word of the newest try only.
  if p_outcome <> 'sent' and v_delivery.attempts <> p_attempt then
    return 'lost';
  end if;

  if p_outcome = 'later' and v_delivery.attempts < (select s.notify_attempts from app.settings s) then
    update public.notification_deliveries d set error_code = p_error_code where d.id = p_id;
    perform app.queue_delivery(p_id, v_delivery.channel, clock_timestamp() + interval '1 second' * greatest(
      least(p_wait_seconds, 3600), least(5 * 3 ^ (v_delivery.attempts - 1), 21600)
    ));
    return 'later';
  end if;

  update public.notification_deliveries d
  set status = case when p_outcome in ('sent', 'skipped') then p_outcome else 'failed' end,
    error_code = case when p_outcome <> 'sent' then p_error_code end,
    finished_at = clock_timestamp()
  where d.id = p_id;
  if p_outcome = 'gone' then
    -- Not a device that has got itself a new address meanwhile.
    delete from public.devices d where d.id = v_delivery.device_id and d.address = p_address;
  end if;
  return case when p_outcome in ('sent', 'skipped') then p_outcome else 'failed' end;
end;
$$;
comment on function app.finish_notifying(uuid, integer, text, text, text, integer) is
  'What became of a try: sent; later (again after p_wait_seconds or the backoff, while tries are left); refused; gone (and the device at p_address with it); skipped. Returns sent, later, failed, skipped, or lost when it was over already or somebody else''s turn. After "later" the queue has a new job in place of the sender''s.';

-- The workers: their stages, the doorbell that wakes them, who drains what, and whether work is due.

create table app.stages (
  name text primary key,
  function_name text not null,
  drainers smallint not null check (drainers between 1 and 32)
);
comment on table app.stages is 'The workers: which edge function drains which stage, and how many may drain at once.';
insert into app.stages (name, function_name, drainers)
values ('submit', 'submit-videos', 1), ('poll', 'poll-videos', 1), ('store', 'store-videos', 2), ('notify', 'notify-users', 1),
  ('maintain', 'maintain', 1);

create table app.drainers (
  stage text not null references app.stages (name),
  node text not null,
  lease_until timestamptz not null,
  primary key (stage, node)
);
comment on table app.drainers is 'Who is draining a stage right now, or was rung for ("rung"). A lease, so a worker that died is forgotten.';

create function app.doorbell_installed() returns boolean
language sql stable set search_path = ''
as $$
  select to_regclass('vault.decrypted_secrets') is not null
    and exists (
      select 1 from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'net' and p.proname = 'http_post'
        and has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
    );
$$;
comment on function app.doorbell_installed() is 'Whether pg_net and Vault are there to ring with, and may be used. Without them nothing wakes the workers, and health says so.';

create function app.read_doorbell(out url text, out key text)
language plpgsql stable set search_path = ''
as $$
begin
  if not app.doorbell_installed() then
    return;
  end if;
  -- Dynamic, because Vault need not exist when this function is made.
  execute $q$
    select
      rtrim(max(s.decrypted_secret) filter (where s.name = 'functions_url'), '/'),
      max(s.decrypted_secret) filter (where s.name = 'cron_secret_key')
    from vault.decrypted_secrets s
    where s.name in ('functions_url', 'cron_secret_key')
  $q$ into url, key;
  if url !~* '^https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[^?#[:space:][:cntrl:]]*)?$' then
    url := null;
  end if;
  if key = '' then
    key := null;
  end if;
end;
$$;
comment on function app.read_doorbell() is
  'Where the functions are and the key to ring with: the secrets functions_url (http or https, host, port, path) and cron_secret_key of Vault. Null where one is missing or no address. Raises where Vault cannot decrypt: for callers that can bear it.';

create function app.call_function(p_name text) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_bell record;
begin
  v_bell := app.read_doorbell();
  if v_bell.url is null or v_bell.key is null then
    return false;
  end if;
  -- Dynamic, because pg_net need not exist when this function is made.
  execute $q$
    select net.http_post(
      url := $1,
      body := '{}'::jsonb,
      headers := jsonb_build_object('content-type', 'application/json', 'apikey', $2),
      timeout_milliseconds := 5000
    )
  $q$ using v_bell.url || '/' || p_name, v_bell.key;
  return true;
exception
  -- The order, the refund, is more important than the ring: cron rings again for what was not rung for.
  when others then
    raise warning 'The doorbell does not ring: %', sqlerrm;
    return false;
end;
$$;
comment on function app.call_function(text) is
  'POSTs to an edge function after commit, with the secret key from Vault. Never fails; false when pg_net, Vault or the secrets functions_url and cron_secret_key are missing or of no use.';

create function app.ring(p_stage text, p_enough integer default 1) returns boolean
language plpgsql set search_path = '' set lock_timeout = '500ms'
as $$
begin
  begin
    -- Shared while we decide and commit: a drainer that wants to stop takes it exclusively, so it
    -- either sees our work or we see that it has stopped. No ring is lost.
    perform pg_advisory_xact_lock_shared(hashtext('gemreel.stage.' || p_stage));
    if (
      select count(*) from app.drainers d where d.stage = p_stage and d.lease_until > clock_timestamp()
    ) >= p_enough then
      return false;
    end if;
    -- A place kept for the worker that is on its way: in a burst only the first rings.
    insert into app.drainers as d (stage, node, lease_until)
    values (p_stage, 'rung', clock_timestamp() + interval '5 seconds')
    on conflict (stage, node) do update set lease_until = excluded.lease_until
      where d.lease_until <= clock_timestamp();
    if not found then
      return false;
    end if;
  exception when lock_not_available then
    -- Whoever rang does not commit, and nobody is to wait for that. Nor does anybody know whether a worker is on
    -- its way: one too many finds no place, and none would leave the work lying.
    null;
  end;
  return app.call_function((select s.function_name from app.stages s where s.name = p_stage));
end;
$$;
comment on function app.ring(text, integer) is
  'Wakes a worker of a stage after commit, unless p_enough drain it already or one is on its way (it will find the new work before it stops). Where somebody who rang takes long to commit, rings once more rather than wait. The last thing a transaction does; more than one stage in the order poll, store, submit, notify, maintain.';

create function app.ring_maintain() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform app.ring('maintain');
  return null;
end;
$$;
comment on function app.ring_maintain() is 'Wakes who deletes files. Definer, because whoever may delete a user may not ring.';

-- Deferred: PostgREST filters the answer of a function that a user calls, for as long as the filter takes,
-- and nobody is to wait for that under the stage's lock.
create constraint trigger ring_maintain
after insert or update of written_until on app.objects_to_delete
deferrable initially deferred
for each row execute function app.ring_maintain();

create function app.start_drain(p_stage text, p_node text) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_settings app.settings;
begin
  -- Two that begin count one after the other. Not under the lock of those who ring, who may take long to
  -- commit: what they add is seen by app.end_drain.
  perform pg_advisory_xact_lock(hashtext('gemreel.drain.' || p_stage));
  select s.* into v_settings from app.settings s;
  delete from app.drainers d
  where (d.stage, d.node) in (
    select o.stage, o.node from app.drainers o
    where o.stage = p_stage and (o.lease_until <= clock_timestamp() or o.node = 'rung')
    for update skip locked
  );
  -- A place that is kept is no worker's, whoever holds its row.
  if (select count(*) from app.drainers d where d.stage = p_stage and d.node not in (p_node, 'rung') and d.lease_until > clock_timestamp())
    >= (select s.drainers from app.stages s where s.name = p_stage) then
    return false;
  end if;
  insert into app.drainers (stage, node, lease_until)
  values (p_stage, p_node, clock_timestamp() + v_settings.drain_lease_seconds * interval '1 second')
  on conflict (stage, node) do update set lease_until = excluded.lease_until;
  return true;
end;
$$;
comment on function app.start_drain(text, text) is 'Takes this worker''s place at a stage, or keeps it. False when enough workers drain it already.';

create function app.renew_drain(p_stage text, p_node text) returns boolean
language plpgsql set search_path = ''
as $$
begin
  update app.drainers d
  set lease_until = clock_timestamp() + s.drain_lease_seconds * interval '1 second'
  from app.settings s
  where d.stage = p_stage and d.node = p_node;
  return found;
end;
$$;
comment on function app.renew_drain(text, text) is 'Renews this worker''s place at a stage while it works. False where it has none: takes none, so that a renewal that comes late does not bring back a place that was given up.';

create function app.end_drain(p_stage text, p_node text) returns boolean
language plpgsql set search_path = '' set lock_timeout = '1s'
as $$
begin
  begin
    perform pg_advisory_xact_lock(hashtext('gemreel.stage.' || p_stage));
  exception when lock_not_available then
    -- Somebody rang and does not commit, and whoever rings now waits behind us. Cron rings for what comes of it.
    null;
  end;
  delete from app.drainers d where d.stage = p_stage and d.node = p_node;
  return app.work_due(p_stage);
end;
$$;
comment on function app.end_drain(text, text) is 'Gives up this worker''s place and says whether work came in meanwhile, in which case the worker goes on. What is added by somebody who takes long to commit is left to cron.';

create function app.free_slots(p_provider text) returns integer
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select case
      when p.paused_until > clock_timestamp() then 0
      -- Half open: one attempt at a time tries whether the provider is back.
      when p.failures >= (select s.breaker_failures from app.settings s) then greatest(0, least(1, p.max_in_flight) - (
        select count(*) from public.video_jobs j
        where j.provider = p.name and j.in_flight and j.processing_started_at >= c.counted_from
          and j.status = 'claimed' and j.lease_until > clock_timestamp()
      )::integer)
      else greatest(0, p.max_in_flight - (
        select count(*) from public.video_jobs j
        where j.provider = p.name and j.in_flight and j.processing_started_at >= c.counted_from
          -- A claim whose lease is over takes no slot: it must be able to get one again.
          and (j.status = 'processing' or (j.status = 'claimed' and j.lease_until > clock_timestamp()))
      )::integer)
    end
    from app.providers p
    join app.fair_clocks c on c.provider = p.name
    where p.name = p_provider
  );
end;
$$;
comment on function app.free_slots(text) is 'How many more attempts the provider may be given now.';

create function app.waiting_in_vain(p_limit integer) returns table (video_job_id uuid, user_id uuid)
language sql volatile set search_path = ''
as $$
  -- Who takes work is asked once and not for each video that waits: where nobody does, no video is looked at.
  with takers as materialized (
    select p.name
    from app.providers p
    where app.takes_attempts(p)
  )
  select w.id, w.user_id
  from app.providers p
  -- Limited, so that nothing is read for providers that take work, which is nearly always all of them.
  cross join lateral (
    select j.id, v.user_id
    from public.videos v
    join public.video_jobs j on j.video_id = v.id and j.status = 'pending'
    where v.provider = p.name and v.under_way and v.status = 'queued' and v.fallbacks <> '[]'
      and exists (
        select 1 from takers t where v.fallbacks @> jsonb_build_array(jsonb_build_object('provider', t.name)) offset 0
      )
      and app.next_fallback(v) is not null
    limit p_limit
  ) w
  where app.breaker_state(p) in ('open', 'paused', 'off') and exists (select 1 from takers)
    -- While nobody's files can be stored, another provider would be paid for nothing as well.
    and (p.pause_reason is distinct from 'not_stored' or app.storing_works())
  limit p_limit;
$$;
comment on function app.waiting_in_vain(integer) is 'Attempts that wait for a provider which takes no work, while another of their chain does.';

create function app.providers_with_work(p_stage text) returns table (name text)
language plpgsql volatile set search_path = ''
-- One row of an index is looked for, provider by provider, whatever the statistics of a quiet hour say.
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  -- An index is searched by a time that is known, and not by one that is asked for row by row.
  v_now timestamptz := clock_timestamp();
begin
  case p_stage
    when 'submit' then
      return query
      select p.name
      from app.providers p
      -- Not "exists", which may be turned round: first all that waits, then whose it is.
      cross join lateral (
        select 1 from pgboss.job j
        where j.name = app.submit_queue(p.name) and j.state < 'active' and not j.blocked and j.start_after <= v_now
        limit 1
      ) waiting
      where app.free_slots(p.name) > 0
      order by p.name;
    when 'poll' then
      return query
      select p.name
      from app.providers p
      where exists (
        select 1 from public.video_jobs j
        where j.provider = p.name and j.in_flight and j.next_poll_at <= v_now
          -- Until it is acknowledged, an attempt can be asked about only where its id is ours.
          and (j.status = 'processing' or p.chooses_task_id)
      ) or exists (
        -- The poller tells them to stop. Whatever it was, it is over some hours later.
        select 1 from app.cancellations c
        where c.provider = p.name and c.try_at <= v_now and c.created_at > v_now - interval '6 hours'
      )
      order by p.name;
  end case;
end;
$$;
comment on function app.providers_with_work(text) is 'The providers with work due at the stages submit and poll.';

create function app.check_due() returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return exists (
    select 1
    from app.last_check c
    where c.busy or exists (
      select 1 from public.gem_entries g
      -- An entry is as old as its transaction, and seen only when that is over.
      where g.created_at >= coalesce(c.recent_at, '-infinity') - interval '1 minute'
    )
  );
end;
$$;
comment on function app.check_due() is 'Whether the books have changed since they were last checked: the end of the last video is looked at, too.';

create function app.work_due(p_stage text) returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  -- A statement and not an expression: it fails for a stage that is missing here.
  case p_stage
    when 'submit' then
      return exists (select 1 from app.providers_with_work('submit')) or exists (select 1 from app.waiting_in_vain(1));
    when 'poll' then
      return exists (select 1 from app.providers_with_work('poll'));
    when 'store' then
      return exists (
        select 1 from pgboss.job j
        where j.name = 'store-video' and j.state < 'active' and not j.blocked and j.start_after <= clock_timestamp()
      );
    when 'notify' then
      return exists (
        select 1 from pgboss.job j
        where j.name in ('notify-fcm', 'notify-web_push', 'notify-webhook') and j.state < 'active' and not j.blocked
          and j.start_after <= clock_timestamp()
      );
    when 'maintain' then
      return exists (
        -- The queues with a dead letter are the ones that work is in.
        select 1 from pgboss.queue q
        join pgboss.job j on j.name = q.name and j.state <= 'active'
        where q.dead_letter is not null
      ) or exists (
        select 1 from public.videos v where v.under_way
      ) or exists (
        select 1 from app.objects_to_delete d where d.try_at <= clock_timestamp()
      ) or exists (
        select 1 from app.erasures e where e.finished_at is null
      ) or app.check_due();
  end case;
end;
$$;
comment on function app.work_due(text) is 'Whether a stage has something to do now. Cheap: cron asks every few seconds.';

create function app.tick() returns void
language plpgsql set search_path = ''
as $$
declare
  v_stage app.stages;
begin
  for v_stage in
    select s.* from app.stages s
    -- Maintain has a cron job of its own.
    where s.name <> 'maintain'
    -- Notify is last everywhere: its own trigger rings it when everything else is done.
    order by s.name = 'notify', s.name
  loop
    if app.work_due(v_stage.name) then
      perform app.ring(v_stage.name, v_stage.drainers);
    end if;
  end loop;
end;
$$;
comment on function app.tick() is 'Rings the stages that have work due and fewer workers than they may have. Run by pg_cron; makes no call when nothing is due.';

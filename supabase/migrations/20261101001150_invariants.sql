-- What must always hold, who looks, and what was found.

create function app.queue_will_bring(p_queue text, p_id uuid) returns boolean
language sql stable set search_path = ''
as $$
  select exists (
    select 1
    from pgboss.job j
    where j.name = p_queue and j.id = p_id
      and (
        j.state <= 'active'
        -- Given up by the queue, which is no end: maintenance puts it back, each minute, once its lease is over.
        or (j.state = 'failed' and j.completed_on > clock_timestamp() - interval '15 minutes')
      )
  );
$$;
comment on function app.queue_will_bring(text, uuid) is
  'Whether the queue still has this job, or gave it up so lately that maintenance has not come by to put it back.';

create index gem_entries_created_at_idx on public.gem_entries using brin (created_at);
create index videos_created_at_idx on public.videos using brin (created_at);
create index video_jobs_finished_at_idx on public.video_jobs using brin (finished_at);

create function app.find_violations(p_since timestamptz)
returns table (invariant text, video_id uuid, user_id uuid, detail text)
-- Planned with the time at hand: the last hours are looked up, all of time is read.
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  with ended as (
    -- However long it took: an attempt ends with its video, or shortly before.
    select j.video_id from public.video_jobs j where j.finished_at >= p_since
    union
    select g.video_id from public.gem_entries g where g.created_at >= p_since and g.video_id is not null
    union
    select j.video_id from public.video_jobs j where j.finished_at is null
  ), looked_at as materialized (
    select v.id, v.user_id, v.status, v.gem_cost
    from public.videos v
    where v.created_at >= p_since or v.under_way
    union
    select v.id, v.user_id, v.status, v.gem_cost
    from ended e
    -- One by one, however many Postgres expects: all videos must not be read for a few.
    cross join lateral (select w.* from public.videos w where w.id = e.video_id offset 0) v
    where p_since > '-infinity'
  ), books as (
    select v.id, v.user_id, v.status, v.gem_cost,
      coalesce(-c.amount, 0) as charged, coalesce(r.amount, 0) as refunded
    from looked_at v
    left join public.gem_entries c on c.video_id = v.id and c.kind = 'charge'
    left join public.gem_entries r on r.video_id = v.id and r.kind = 'refund'
  )
  select 'balance is not the sum of the entries', null::uuid, u.id,
    format('balance %s, entries %s', u.gem_balance, t.total)
  from public.users u
  cross join lateral (
    select coalesce(sum(g.amount), 0) as total from public.gem_entries g where g.user_id = u.id
  ) t
  where u.gem_balance <> t.total
    and (p_since = '-infinity' or u.id in (select g.user_id from public.gem_entries g where g.created_at >= p_since))
  union all
  select 'price was not charged once', b.id, b.user_id, format('price %s, charged %s', b.gem_cost, b.charged)
  from books b
  where b.gem_cost <> b.charged
  union all
  select 'failed without a full refund', b.id, b.user_id, format('price %s, refunded %s', b.gem_cost, b.refunded)
  from books b
  where b.status = 'failed' and b.gem_cost <> b.refunded
  union all
  select 'refunded though not failed or cancelled', b.id, b.user_id, format('%s, refunded %s', b.status, b.refunded)
  from books b
  where b.refunded <> 0 and (b.status not in ('failed', 'cancelled') or b.refunded > b.gem_cost)
  union all
  select 'attempt lives on though the video is over or rendering', v.id, v.user_id,
    format('video %s, attempt %s', v.status, j.status)
  from looked_at v
  join public.video_jobs j on j.video_id = v.id
  where j.finished_at is null and v.status not in ('queued', 'processing')
  union all
  select 'in flight and not counted', j.video_id, null::uuid, format('claimed at %s, counted from %s', j.processing_started_at, c.counted_from)
  from app.fair_clocks c
  join public.video_jobs j on j.provider = c.provider and j.in_flight
  where j.processing_started_at >= c.counted_from is not true
  union all
  select 'stranded: nothing will move it on', v.id, v.user_id, v.status
  from looked_at v
  where (
      v.status in ('queued', 'processing') and not exists (
        select 1 from public.video_jobs j
        where j.video_id = v.id and (
          (j.status = 'pending' and app.queue_will_bring(app.submit_queue(j.provider), j.id))
          or (j.status = 'claimed' and (
            app.queue_will_bring(app.submit_queue(j.provider), j.id)
            -- Without an id of ours nobody can ask before the provider has named its own.
            or (j.next_poll_at is not null and (select p.chooses_task_id from app.providers p where p.name = j.provider))
          ))
          or j.status = 'processing'
        )
      )
    )
    or (
      v.status = 'rendering' and not exists (
        select 1 from public.video_jobs j
        where j.video_id = v.id and j.status = 'completed' and app.queue_will_bring('store-video', j.id)
      )
    )
  union all
  select 'stranded: nobody will deliver the notification', n.video_id, n.user_id, d.channel
  from public.notification_deliveries d
  join public.notifications n on n.id = d.notification_id
  where d.status = 'pending' and not app.queue_will_bring('notify-' || d.channel, d.id);
end;
$$;
comment on function app.find_violations(timestamptz) is
  'What must not be: lies in the books, videos that nothing will move on. Looks at all videos under way, at those that began or ended since then, and at entries made since then; -infinity looks at everything.';

create view app.invariants with (security_invoker = true) as
select v.invariant, v.video_id, v.user_id, v.detail from app.find_violations('-infinity') v;
comment on view app.invariants is 'Must always be empty. Each row is a lie in the books or a video that nothing will move on.';
revoke all on app.invariants from public;

create table app.last_check (
  only_row boolean primary key default true check (only_row),
  recent_at timestamptz,
  recent_violations integer not null default 0,
  busy boolean not null default false,
  full_at timestamptz,
  full_violations integer not null default 0,
  full_found jsonb not null default '[]',
  cleaned_until timestamptz not null default '-infinity'
);
comment on table app.last_check is 'When the invariants were last checked: the recent ones by maintain each minute, all of them once a day by app.check_everything(), in a cron job of its own.';
comment on column app.last_check.busy is 'Videos were under way when maintain last looked, so that it has to look once more.';
comment on column app.last_check.full_found is 'What the look at everything found and the log has not been told yet.';
insert into app.last_check default values;

create function app.check_invariants()
returns table (invariant text, video_id uuid, user_id uuid, detail text)
language plpgsql set search_path = ''
as $$
declare
  v_last app.last_check;
  v_minutes integer;
  v_busy boolean;
  v_count integer;
begin
  select c.* into v_last from app.last_check c for update;
  -- Before the look itself: whatever ends after this is looked at the next time.
  v_busy := exists (select 1 from public.videos v where v.under_way);
  -- A video ends at the latest so long after its attempt: the storing deadline, the hour more that
  -- app.requeue_copies gives, and half an hour to spare.
  select s.storing_deadline_minutes + 90 into v_minutes from app.settings s;
  return query select f.* from app.find_violations(least(now() - v_minutes * interval '1 minute', v_last.recent_at)) f;
  get diagnostics v_count = row_count;
  return query
  select f.* from jsonb_to_recordset(v_last.full_found) as f (invariant text, video_id uuid, user_id uuid, detail text);
  update app.last_check set recent_at = now(), recent_violations = v_count, busy = v_busy, full_found = '[]';
end;
$$;
comment on function app.check_invariants() is
  'What maintain does each minute: the violations among what is under way or recent, those that the last look at everything found (once), and a note of when it looked.';

create function app.check_everything() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
  v_found jsonb;
begin
  with found as materialized (select i.* from app.invariants i)
  select (select count(*) from found), (select jsonb_agg(to_jsonb(f)) from (select * from found limit 100) f)
  into v_count, v_found;
  update app.last_check
  set full_at = clock_timestamp(), full_violations = v_count, full_found = coalesce(v_found, '[]');
  return v_count;
end;
$$;
comment on function app.check_everything() is
  'Checks every invariant over all time and keeps what it found for maintain to log. Reads everything, so not in a worker, whose statements are cut off. Returns how many are violated.';

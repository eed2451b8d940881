-- Measuring how long models take, cleaning up, and what an operator asks first.

create function app.measure_models() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into app.model_stats (provider, model, median_seconds, samples)
  select m.provider, m.model,
    greatest(1, round(percentile_cont(0.5) within group (order by j.seconds)))::integer,
    count(*)::integer
  from (
    select r.provider, r.model from public.rhymes r
    union
    select v.provider, v.model from public.videos v where v.under_way
  ) m
  -- The newest hundred of each model, straight from the index, however long the history is.
  cross join lateral (
    select extract(epoch from n.finished_at - n.submitted_at) as seconds
    from public.video_jobs n
    where n.provider = m.provider and n.model = m.model and n.status = 'completed'
    order by n.finished_at desc
    limit 100
  ) j
  where j.seconds is not null
  group by m.provider, m.model
  on conflict (provider, model) do update
  set median_seconds = excluded.median_seconds, samples = excluded.samples, updated_at = now();
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function app.measure_models() is 'Refreshes app.model_stats from the newest 100 completed attempts of each model in use. Returns how many models.';

create table app.change_marks (
  noted_at timestamptz primary key default now(),
  xid xid8 not null default pg_current_xact_id()
);
comment on table app.change_marks is 'Which transaction it was when: tells deletions of long ago, which carry nothing but their transaction, from newer ones. One row a day.';

create function app.clean_up(p_most integer default 100000) returns void
language plpgsql set search_path = ''
as $$
declare
  v_before timestamptz;
  v_from timestamptz;
  v_is_new_day boolean;
begin
  select now() - s.event_retention_days * interval '1 day' into v_before from app.settings s;
  -- So many at once, and nothing that somebody holds: whoever deletes a video meanwhile takes attempts before
  -- events, and neither waits for the other for long.
  delete from public.provider_events e
  where e.id in (
    select o.id from public.provider_events o
    where o.received_at < v_before
    order by o.received_at
    limit p_most
    for update skip locked
  );
  -- Only what became old since the last time: otherwise each day would read all attempts there ever were.
  select c.cleaned_until into v_from from app.last_check c;
  update public.video_jobs j set provider_error = null, result_url = case when j.status = 'completed' then '' end
  where j.id in (
    select o.id from public.video_jobs o
    where o.finished_at >= v_from and o.finished_at < v_before and (o.provider_error is not null or o.result_url <> '')
    order by o.finished_at
    limit p_most
    for update skip locked
  );
  -- Up to what was left.
  update app.last_check c
  set cleaned_until = greatest(c.cleaned_until, coalesce((
    select min(o.finished_at) from public.video_jobs o
    where o.finished_at >= v_from and o.finished_at < v_before and (o.provider_error is not null or o.result_url <> '')
  ), v_before));
  update public.unknown_outcomes u set provider_error = null
  where u.video_job_id in (
    select o.video_job_id from public.unknown_outcomes o
    where o.happened_at < v_before and o.provider_error is not null
    for update skip locked
  );
  delete from app.drainers d
  where (d.stage, d.node) in (
    select o.stage, o.node from app.drainers o where o.lease_until < now() for update skip locked
  );
  -- Of a provider that this deployment has no key for any more.
  delete from app.cancellations c
  where c.video_job_id in (
    select o.video_job_id from app.cancellations o where o.created_at < now() - interval '1 day' for update skip locked
  );
  insert into app.change_marks (noted_at)
  select now() where not exists (
    select 1 from app.change_marks m where m.noted_at > now() - interval '23 hours 30 minutes'
  );
  v_is_new_day := found;
  -- Deleted videos that every app has heard of: whoever asks since before then is told to begin anew.
  delete from public.deleted_videos d
  where d.deleted_in < (
    select m.xid from app.change_marks m where m.noted_at < now() - interval '100 days' order by m.noted_at desc limit 1
  );
  delete from app.change_marks m where m.noted_at < now() - interval '130 days';
  if to_regclass('cron.job_run_details') is not null then
    execute 'delete from cron.job_run_details d where d.end_time < now() - interval ''2 days''';
  end if;
  if v_is_new_day then
    perform app.ring('maintain');
  end if;
end;
$$;
comment on function app.clean_up(integer) is 'Hourly: forgets raw provider events and errors after their retention, up to p_most of each, which videos were deleted after a hundred days, dead drainers and pg_cron''s history. Once a day it rings maintain, which has pg-boss tidy its tables.';

create function app.doorbell_ready() returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  v_bell record;
begin
  v_bell := app.read_doorbell();
  return v_bell.url is not null and v_bell.key is not null;
exception
  -- Vault cannot decrypt, say. Whoever rings is warned why.
  when others then
    return false;
end;
$$;
comment on function app.doorbell_ready() is 'Whether workers can be rung: pg_net and Vault may be used, and hold an address and a key. Whether these are the right ones, only a ring can tell.';

create function app.cron_scheduled() returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  v_scheduled boolean := to_regclass('cron.job') is not null;
begin
  if v_scheduled then
    execute $q$
      select count(*) = 4 from cron.job j
      where j.jobname in ('gemreel-tick', 'gemreel-maintain', 'gemreel-clean-up', 'gemreel-check') and j.active
    $q$ into v_scheduled;
  end if;
  return v_scheduled;
end;
$$;
comment on function app.cron_scheduled() is 'Whether pg_cron has our jobs, and they are active. If not, see app.schedule_cron().';

create function app.open_doors() returns setof text
language sql stable set search_path = ''
as $$
  select format('%s may be executed by %s', p.oid::regprocedure, r.name)
  from pg_catalog.pg_proc p
  cross join unnest('{anon,authenticated}'::name[]) as r (name)
  where p.pronamespace = 'public'::regnamespace and has_function_privilege(r.name, p.oid, 'execute')
    -- What users may call, each on what is their own.
    and not (r.name = 'authenticated' and p.proname = any (
      '{delete_project,delete_videos,forget_child,give_consent,is_own_avatar,list_videos,register_device,search_videos,set_favorite,update_project,video_state,videos_since,withdraw_consent}'
    ))
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  union all
  select format('%s has no row-level security', c.oid::regclass)
  from pg_catalog.pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relrowsecurity
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  union all
  select 'auth.users has no trigger create_user'
  where not exists (
    select from pg_catalog.pg_trigger t
    where t.tgrelid = 'auth.users'::regclass and t.tgname = 'create_user' and t.tgenabled in ('O', 'A')
  );
$$;
comment on function app.open_doors() is
  'What visitors or users may do in public and should not, and whether sign-ups are followed: what a restore without supabase/restore loses. No rows where all is well. What an extension brought does not count.';

create function public.health_report() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select app.refuse_people();
  select jsonb_build_object(
    'queues', (
      select jsonb_object_agg(q.name, jsonb_build_object(
        'waiting', (select count(*) from pgboss.job j where j.name = q.name and j.state < 'active'),
        'active', (select count(*) from pgboss.job j where j.name = q.name and j.state = 'active'),
        'oldest_seconds', (
          select round(extract(epoch from clock_timestamp() - min(j.start_after)))
          from pgboss.job j where j.name = q.name and j.state < 'active' and j.start_after <= clock_timestamp()
        )
      ))
      from pgboss.queue q
    ),
    'videos', (
      select coalesce(jsonb_object_agg(s.status, s.count), '{}')
      from (
        select v.status, count(*) from public.videos v
        where v.under_way group by v.status
      ) s
    ),
    'overdue_polls', (
      select count(*) from public.video_jobs j where j.in_flight and j.next_poll_at < clock_timestamp() - interval '2 minutes'
    ),
    'providers', (
      select jsonb_object_agg(p.name, jsonb_build_object(
        'in_flight', (
          select count(*) from public.video_jobs j where j.provider = p.name and j.in_flight
        ),
        'max_in_flight', p.max_in_flight,
        'breaker', app.breaker_state(p),
        'paused_until', case when p.paused_until > clock_timestamp() then p.paused_until end,
        'pause_reason', case when p.paused_until > clock_timestamp() then p.pause_reason end
      ))
      from app.providers p
    ),
    'unknown_outcomes', (select count(*) from public.unknown_outcomes u where u.resolved_at is null),
    'cancellations_open', (select count(*) from app.cancellations c),
    'objects_to_delete', (select count(*) from app.objects_to_delete d),
    'erasures_open', (select count(*) from app.erasures e where e.finished_at is null),
    'doorbell_ready', app.doorbell_ready(),
    'cron_scheduled', app.cron_scheduled(),
    'realtime_ready', exists (
      select from pg_catalog.pg_policies p
      where p.schemaname = 'realtime' and p.tablename = 'messages' and p.policyname = 'Users hear of their own videos'
    ),
    'doors_closed', not exists (select from app.open_doors()),
    'invariant_violations', (select c.recent_violations + c.full_violations from app.last_check c),
    'invariants_checked', (select jsonb_build_object('recent', c.recent_at, 'all', c.full_at) from app.last_check c),
    'pgboss_schema', (select v.version from pgboss.version v)
  );
$$;
comment on function public.health_report() is 'What an operator asks first: queue depths and oldest waits, videos under way, overdue polls, providers, doorbell, cron, open doors, violated invariants. Service role only. Definer, because no role reads these schemas.';

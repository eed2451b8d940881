-- What an operator asks first.

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
        'pause_reason', case when app.breaker_state(p) in ('paused', 'open', 'half_open') then p.pause_reason end
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

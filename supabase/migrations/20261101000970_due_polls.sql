-- Polling: which attempts their provider is to be asked about next, and by whom.

create function app.due_polls(p_provider text, p_limit integer, p_webhooks boolean default false)
returns table (
  video_job_id uuid,
  attempt smallint,
  provider_task_id text,
  model text,
  seconds_running numeric,
  missing_seconds numeric,
  overdue boolean,
  median_seconds integer,
  progress smallint,
  quiet boolean,
  leased_at timestamptz,
  lease_seconds integer
)
language plpgsql set search_path = ''
-- By their ids, always, and planned once: see docs/adr/0010-by-their-ids.md.
set enable_seqscan = off set enable_indexonlyscan = off set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  -- An index is searched by a time that is known, and not by one that is asked for row by row.
  v_now timestamptz := clock_timestamp();
  v_settings app.settings;
begin
  select s.* into v_settings from app.settings s;
  return query
  with due as (
    select j.id, j.provider, j.model, j.status, j.submitted_at, j.deadline_at
    from public.video_jobs j
    where j.provider = p_provider and j.in_flight and j.next_poll_at <= v_now
      -- Under an id of ours, a provider that makes up its own would know of no such task.
      and (j.status = 'processing' or (select p.chooses_task_id from app.providers p where p.name = p_provider))
    order by j.next_poll_at
    limit p_limit
    for update skip locked
  ), looked_at as (
    select
      d.id,
      p_webhooks
        -- Where none of its rings reaches us, waiting for them would make every video late, and each
        -- of them a measure of how long the next ones may take.
        and (select exists (
          select 1 from public.provider_events e
          where e.provider = p_provider and e.received_at > v_now - interval '1 hour'
        ))
        and d.status = 'processing' and d.deadline_at > v_now
        and d.submitted_at + m.median_seconds * v_settings.quiet_percent * interval '10 ms' > v_now
        and not exists (select 1 from public.provider_events e where e.video_job_id = d.id) as quiet
    from due d
    left join app.model_stats m on m.provider = d.provider and m.model = d.model
  ), leased as (
    update public.video_jobs j
    set poll_count = j.poll_count + 1,
      next_poll_at = v_now + interval '1 second' * case
        -- Nobody is asked, so nothing is to be waited for: the next look is due when it would be anyway.
        when l.quiet then v_settings.poll_steps[least(j.poll_count + 2, cardinality(v_settings.poll_steps))]
        else v_settings.poll_lease_seconds
      end
    from looked_at l
    where j.id = any (array[l.id])
    returning j.*, coalesce(l.quiet, false) as quiet
  )
  select
    l.id,
    l.attempt,
    -- Not acknowledged yet: where the id is ours, it is the provider's too.
    coalesce(l.provider_task_id, l.id::text),
    l.model,
    round(extract(epoch from v_now - coalesce(l.submitted_at, l.processing_started_at)), 1),
    round(extract(epoch from v_now - l.missing_since), 1),
    coalesce(l.deadline_at <= v_now, false),
    m.median_seconds,
    v.progress,
    l.quiet,
    v_now,
    v_settings.poll_lease_seconds
  from leased l
  join public.videos v on v.id = any (array[l.video_id])
  left join app.model_stats m on m.provider = l.provider and m.model = l.model;
end;
$$;
comment on function app.due_polls(text, integer, boolean) is
  'Leases attempts whose poll is due: moves next_poll_at forward by the lease, so no other poller asks about them meanwhile and a vanished poller''s come back by themselves. leased_at: before the provider was asked; lease_seconds: for how long. missing_seconds: for how long the provider has said, each time, that it knows no such task. overdue is true past the render deadline. quiet is true, with p_webhooks (the provider calls back and can reach us), where it was heard ringing within the hour, has not rung for this one and, by the time its model takes, need not have: nobody is to be asked.';

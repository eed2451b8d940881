-- Measuring how long models take, and cleaning up.

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

-- Settling: turning a provider's answer about its tasks into rows. There is no other path for such an answer.

create function app.past_deadline(p_deadline_at timestamptz, p_state text) returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  return case
    -- An attempt that is not acknowledged yet has no deadline, and so none that is past.
    when p_state = 'processing' then coalesce(p_deadline_at <= clock_timestamp(), false)
    when p_state in ('unanswered', 'missing') then coalesce(p_deadline_at <= clock_timestamp() - interval '1 hour', false)
    else false
  end;
end;
$$;
comment on function app.past_deadline(timestamptz, text) is
  'Whether an attempt that the provider still works on (or, for an hour more, says nothing about) has had its time. Decided with the answer in hand, so that a render that is done is never given up.';

create function app.believable_cost(p_usd numeric) returns numeric
language plpgsql immutable set search_path = ''
as $$ begin return case when p_usd between 0 and 100000 then p_usd end; end; $$;
comment on function app.believable_cost(numeric) is 'A cost in USD, or null for a figure that cannot be one: it must not hold up the video.';

-- The three parts of app.settle_video_jobs, which holds the videos' locks: each takes all answers and minds its
-- own. They are called by nobody else, and planned under its settings.

create function app.settle_delivered(p_results jsonb) returns uuid[]
language plpgsql set search_path = ''
as $$
declare
  v_delivered uuid[];
  v_queued integer;
begin
  with delivered as (
    update public.video_jobs j
    set status = 'completed', finished_at = clock_timestamp(), next_poll_at = null, lease_until = null,
      provider_task_id = coalesce(j.provider_task_id, j.id::text),
      result_url = r.video_url,
      cost_usd = app.believable_cost(r.cost_usd)
    from jsonb_to_recordset(p_results) as r (video_job_id uuid, state text, video_url text, cost_usd numeric)
    where r.state = 'succeeded' and j.id = any (array[r.video_job_id]) and j.status in ('claimed', 'processing')
    returning j.id, j.video_id, j.attempt
  ), moved as (
    update public.videos v
    set status = 'rendering', stage = 'rendering', progress = 90
    from delivered d
    where v.id = any (array[d.video_id]) and v.status = 'processing'
    returning v.id, v.user_id, d.id as job_id, d.attempt
  ), told as (
    insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, eta_seconds)
    select m.id, m.user_id, m.attempt, 'rendering', 90, app.stage_message('rendering', 90), 3
    from moved m
  )
  select array_agg(m.job_id), app.enqueue_all(
    array_agg('store-video'::text), array_agg(m.job_id), array_agg(jsonb_build_object('video_job_id', m.job_id))
  ) into v_delivered, v_queued
  from moved m
  having count(*) > 0;
  return v_delivered;
end;
$$;
comment on function app.settle_delivered(jsonb) is 'Has the files copied that were delivered. Returns their attempts, or null where there are none.';

create function app.settle_running(p_results jsonb) returns setof uuid
language plpgsql set search_path = ''
as $$
declare
  v_settings app.settings;
begin
  select s.* into v_settings from app.settings s;
  return query
  with running as (
    update public.video_jobs j
    set next_poll_at = case
      -- Due again already: a webhook rang while we asked, or our lease ran out. Leave it due.
      when j.next_poll_at <= clock_timestamp() then j.next_poll_at
      else clock_timestamp() + interval '1 second' * greatest(
        v_settings.poll_steps[least(j.poll_count + 1, cardinality(v_settings.poll_steps))], p.min_poll_seconds
      )
    end,
    missing_since = case r.state
      when 'missing' then coalesce(j.missing_since, clock_timestamp())
      when 'unanswered' then j.missing_since
    end
    from jsonb_to_recordset(p_results) as r (video_job_id uuid, state text, progress smallint, eta_seconds integer),
      app.providers p
    where r.state in ('processing', 'unanswered', 'missing')
      and j.id = any (array[r.video_job_id])
      and p.name = j.provider
      and j.status in ('claimed', 'processing')
      and j.next_poll_at is not null
      and not app.past_deadline(j.deadline_at, r.state)
    returning j.id, j.video_id, j.attempt, j.status, r.progress, r.eta_seconds
  ), alive as (
    select * from running
    union all
    -- Nobody was asked about these, so nothing but the estimate is new.
    select j.id, j.video_id, j.attempt, j.status, r.progress, r.eta_seconds
    from public.video_jobs j
    join jsonb_to_recordset(p_results) as r (video_job_id uuid, state text, progress smallint, eta_seconds integer)
      on j.id = any (array[r.video_job_id])
    where r.state = 'estimated' and j.status = 'processing'
  ), moved as (
    update public.videos v
    set stage = 'generating', progress = j.progress
    from alive j
    where v.id = any (array[j.video_id])
      and v.status = 'processing'
      and j.status = 'processing'
      and j.progress >= 15
      and (v.stage <> 'generating' or j.progress >= v.progress + 5)
      and j.progress > v.progress
    returning v.id, v.user_id, j.id as job_id, j.attempt, v.progress, j.eta_seconds
  ), told as (
    insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, eta_seconds)
    select m.id, m.user_id, m.attempt, 'generating', m.progress, app.stage_message('generating', m.progress), m.eta_seconds
    from moved m
  )
  select m.job_id from moved m;
end;
$$;
comment on function app.settle_running(jsonb) is 'What the provider still works on, or says nothing about, is asked about again later. Returns the attempts whose progress is news.';

create function app.settle_failed(p_results jsonb)
returns table (video_job_id uuid, result text)
language plpgsql set search_path = ''
as $$
declare
  v_failure record;
  v_closed text;
  v_rest integer;
  v_why text;
begin
  for v_failure in
    with failed as materialized (
      select r.video_job_id, j.provider, v.user_id, t.*
      from jsonb_to_recordset(p_results) as r (
        video_job_id uuid, state text, code text, kind text, people_code text, people_message text,
        provider_error jsonb, retry_seconds integer, cost_usd numeric, leased_at timestamptz
      )
      join public.video_jobs j on j.id = any (array[r.video_job_id])
      join public.videos v on v.id = any (array[j.video_id])
      cross join lateral (
        select r.code, r.kind, r.people_code, r.people_message, r.provider_error, r.retry_seconds, r.cost_usd
        -- Not known there yet says nothing of an attempt that is being handed over, perhaps right now, or
        -- was handed over since the question: the same video would be bought once more.
        where r.state = 'failed' and not (
          r.kind = 'not_found' and (j.status = 'claimed' or coalesce(j.submitted_at > r.leased_at, false))
        )
        union all
        select 'deadline', 'timeout', 'timed_out', app.failure_message('timed_out'), null, 5, null
        where app.past_deadline(j.deadline_at, r.state)
      ) t
    )
    -- Refunds lock users: always in the same order, so that two workers never wait for each other.
    select f.* from failed f order by f.user_id
  loop
    video_job_id := v_failure.video_job_id;
    result := app.fail_attempt(
      v_failure.video_job_id, v_failure.code, v_failure.kind, v_failure.people_code, v_failure.people_message,
      v_failure.provider_error, v_failure.retry_seconds, v_failure.cost_usd
    );
    if result <> 'lost' then
      return next;
    end if;
    if v_failure.kind in ('auth', 'balance') or v_failure.code = 'result_unreadable' then
      v_closed := v_failure.provider;
      v_rest := greatest(v_rest, v_failure.retry_seconds, case v_failure.code when 'result_unreadable' then 600 end, 1);
      v_why := v_failure.code;
    end if;
  end loop;

  -- It takes tasks and does not make them, for want of our money or for our key, or makes them in a form that
  -- we do not know: it is to be given no more.
  if v_closed is not null then
    perform app.note_refusal(v_closed, v_rest, v_why);
  end if;
end;
$$;
comment on function app.settle_failed(jsonb) is
  'Ends what failed, or is past its deadline: see app.fail_attempt. A provider that fails what it took for our key or account, or delivers what we cannot read, rests. Returns what became of each, retried or failed, but of those that were over already.';

create function app.settle_video_jobs(p_results jsonb, p_patience text default '3s')
returns table (video_job_id uuid, result text)
language plpgsql set search_path = ''
-- By their ids, always, and planned once: see docs/adr/0010-by-their-ids.md.
set enable_seqscan = off set enable_indexonlyscan = off set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  v_job_ids uuid[];
  -- What was said at all: a batch of deliveries need not look for failures.
  v_states text[];
  v_delivered uuid[];
  v_rung boolean;
  v_retried boolean := false;
begin
  -- For the whole transaction and not for this function alone: at its end a clip's project is waited for.
  p_patience := set_config('lock_timeout', p_patience, true);
  select array_agg(r.video_job_id), array_agg(r.state) into v_job_ids, v_states
  from jsonb_to_recordset(p_results) as r (video_job_id uuid, state text);
  perform app.lock_videos(v_job_ids);

  if 'succeeded' = any (v_states) then
    v_delivered := app.settle_delivered(p_results);
    result := 'rendering';
    foreach video_job_id in array coalesce(v_delivered, '{}') loop
      return next;
    end loop;
  end if;
  if v_states && array['processing', 'estimated', 'unanswered', 'missing'] then
    return query select r.id, 'progress' from app.settle_running(p_results) as r (id);
  end if;
  if v_states && array['failed', 'processing', 'unanswered', 'missing'] then
    for video_job_id, result in select f.* from app.settle_failed(p_results) f loop
      v_retried := v_retried or result = 'retried';
      return next;
    end loop;
  end if;

  -- Rings come last: while their lock is held nothing else may be waited for.
  if v_delivered is not null then
    -- Assigned, since to "perform" a call is to run a query for it.
    v_rung := app.ring('store');
  end if;
  if v_retried and app.work_due('submit') then
    perform app.ring('submit');
  end if;
end;
$$;
comment on function app.settle_video_jobs(jsonb, text) is
  'Turns answers of a provider into rows, one or a hundred: [{video_job_id, state: succeeded | processing | estimated | unanswered | missing | failed, video_url, cost_usd | progress, eta_seconds | code, kind, people_code, people_message, provider_error, retry_seconds, cost_usd}]. Whoever comes second for an attempt changes nothing. p_patience: the lock_timeout until the transaction ends. Returns what changed: rendering, progress, retried or failed.';

create function app.fail_attempt(
  p_job_id uuid,
  p_code text,
  p_kind text,
  p_people_code text,
  p_people_message text,
  p_provider_error jsonb,
  p_retry_seconds integer,
  p_cost_usd numeric default null
) returns text
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_job public.video_jobs;
  v_video public.videos;
  v_retry_seconds integer := p_retry_seconds;
  v_fallback jsonb;
  v_free boolean := false;
begin
  select v.* into v_video
  from public.videos v
  where v.id = (select j.video_id from public.video_jobs j where j.id = p_job_id)
  for update;
  update public.video_jobs j
  set status = 'failed', finished_at = clock_timestamp(), next_poll_at = null, lease_until = null,
    error_code = p_code, error_kind = p_kind, provider_error = p_provider_error,
    cost_usd = app.believable_cost(p_cost_usd),
    maybe_bought = j.maybe_bought or p_code = 'unknown_outcome'
  where j.id = p_job_id and j.status in ('pending', 'claimed', 'processing')
  returning j.* into v_job;
  if not found then
    return 'lost';
  end if;

  if p_kind = 'safety' and app.has_own_words(v_video) then
    perform app.count_today(v_video.user_id, 'refused');
  end if;
  if p_code in ('unknown_outcome', 'result_unreadable') then
    insert into public.unknown_outcomes (video_job_id, video_id, provider, model, provider_task_id, provider_error)
    values (v_job.id, v_job.video_id, v_job.provider, v_job.model, v_job.provider_task_id, p_provider_error)
    on conflict (video_job_id) do nothing;
  end if;
  if p_code = 'unknown_outcome' then
    v_retry_seconds := (select case s.unknown_outcome when 'retry' then 5 end from app.settings s);
  end if;

  -- What may work here the next time may work elsewhere now. What is not made here at all can only be
  -- made elsewhere; an attempt that was never accepted has been moved on, or may have been bought.
  if v_retry_seconds is not null or (p_kind = 'model_off' and v_job.submitted_at is not null) then
    v_fallback := app.next_fallback(v_video, p_kind);
  end if;
  -- Our key and our account are no fault of the video's, and cost it no retry: it moves on, or waits as
  -- long as a video may wait for a provider at all.
  if p_kind in ('auth', 'balance') then
    v_free := v_fallback is not null or v_video.created_at > clock_timestamp()
      - (select s.queued_deadline_minutes from app.settings s) * interval '1 minute';
  end if;
  if (v_retry_seconds is not null or v_fallback is not null) and (v_free or v_video.retry_count < v_video.max_retries) then
    update public.videos v set retry_count = v.retry_count + 1 where v.id = v_video.id and not v_free;
    perform app.try_again(
      v_video, v_job.attempt + 1, v_job.priority, v_fallback,
      case when v_fallback is null then v_retry_seconds else 0 end, 'That did not work, we try once more…'
    );
    return 'retried';
  end if;

  perform app.fail_video(v_video.id, p_people_code, p_people_message);
  return 'failed';
end;
$$;
comment on function app.fail_attempt(uuid, text, text, text, text, jsonb, integer, numeric) is
  'Ends an attempt that failed, and keeps what it was billed all the same: a fresh attempt with an id of its own while the video has any left, at the next provider of its chain that takes work or else p_retry_seconds later at the same one (null: the failure will not pass), else the video fails and the gems come back. A failure for our key or account uses up none. Returns retried, failed, or lost when the attempt was over already.';

create function app.fail_video(p_video_id uuid, p_code text, p_message text) returns boolean
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_video public.videos;
begin
  update public.videos v
  set status = 'failed', error_code = p_code, error_message = p_message
  where v.id = p_video_id and v.status in ('queued', 'processing', 'rendering')
  returning v.* into v_video;
  if not found then
    return false;
  end if;
  update public.video_jobs j
  set status = 'failed', finished_at = clock_timestamp(), next_poll_at = null, error_code = coalesce(j.error_code, p_code)
  where j.video_id = p_video_id and j.status in ('pending', 'claimed', 'processing');
  if v_video.gem_cost > 0 then
    perform app.move_gems(v_video.user_id, v_video.gem_cost, 'refund', v_video.id, 'Failed: ' || v_video.title);
  end if;
  insert into public.notifications (user_id, video_id, kind, title, body, data)
  values (
    v_video.user_id, v_video.id, 'video_failed', 'Your video could not be made', p_message,
    jsonb_build_object('video_id', v_video.id, 'action', 'view_video')
  )
  on conflict (video_id, kind) do nothing;
  return true;
end;
$$;
comment on function app.fail_video(uuid, text, text) is
  'Fails a video for good: its live attempt ends, the whole price comes back, the user is told. False when the video was over already.';

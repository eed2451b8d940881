-- What the provider said when attempts were handed to it: taken, refused, or no word at all.

-- Two attempts that name one task would be settled by one answer: two deliveries for one purchase. Where the
-- id is ours it is the row's own, and unique already.
create unique index video_jobs_one_task on public.video_jobs (provider, provider_task_id)
where provider_task_id <> id::text;

create function app.note_late_answers(p_outcomes jsonb, p_node text) returns void
language plpgsql set search_path = ''
as $$
begin
  -- Cancelled, or given up, while the provider took it: nobody gets the video, but it was bought.
  update public.video_jobs j
  set provider_task_id = o.provider_task_id, submitted_at = clock_timestamp()
  from jsonb_to_recordset(p_outcomes) as o (video_job_id uuid, outcome text, provider_task_id text)
  where o.outcome = 'accepted' and j.id = any (array[o.video_job_id])
    and j.status in ('failed', 'cancelled') and j.provider_task_id is null and j.processing_node = p_node;
  -- These outlive the video, which may be deleted by now.
  update app.costs c
  set was_submitted = true
  from jsonb_to_recordset(p_outcomes) as o (video_job_id uuid, outcome text)
  where o.outcome = 'accepted' and c.video_job_id = any (array[o.video_job_id]) and not c.was_submitted;
  update public.unknown_outcomes u
  set resolved_at = clock_timestamp(),
    provider_task_id = case o.outcome when 'accepted' then o.provider_task_id else u.provider_task_id end,
    resolution = case o.outcome when 'accepted' then 'Taken after all, as task ' || left(o.provider_task_id, 200) else 'Not taken' end
  from jsonb_to_recordset(p_outcomes) as o (video_job_id uuid, outcome text, provider_task_id text, code text), app.providers p
  where u.video_job_id = any (array[o.video_job_id]) and u.resolved_at is null and p.name = u.provider
    and (
      o.outcome = 'accepted'
      or (
        o.outcome in ('failed', 'held') and o.code is distinct from 'unknown_outcome'
        -- An attempt with an id of ours may have been handed over before: what is refused now was perhaps taken then.
        and (
          not p.chooses_task_id
          or exists (select 1 from public.video_jobs j where j.id = u.video_job_id and not j.maybe_bought)
          or exists (select 1 from app.costs c where c.video_job_id = u.video_job_id and not c.was_submitted)
        )
      )
    );
end;
$$;
comment on function app.note_late_answers(jsonb, text) is
  'What the provider said about attempts that ended while it was asked: the purchase is on record, and the operator''s doubt is closed. Changes no state and no gems.';

-- The parts of app.record_submissions, which holds the videos' locks: each takes all answers and minds its own.
-- They are called by nobody else, and planned under its settings.

create function app.record_accepted(p_outcomes jsonb, p_node text) returns uuid[]
language plpgsql set search_path = ''
as $$
declare
  v_settings app.settings;
  v_accepted uuid[];
begin
  select s.* into v_settings from app.settings s;
  with accepted as (
    update public.video_jobs j
    set status = 'processing',
      provider_task_id = o.provider_task_id,
      submitted_at = clock_timestamp(),
      deadline_at = clock_timestamp() + p.render_deadline_minutes * interval '1 minute',
      -- An event that came before this answer has made the attempt due already: keep that.
      next_poll_at = least(j.next_poll_at, clock_timestamp()
        + greatest(v_settings.poll_steps[1], p.min_poll_seconds) * interval '1 second'),
      lease_until = null, missing_since = null, error_code = null, error_kind = null, provider_error = null
    from jsonb_to_recordset(p_outcomes) as o (video_job_id uuid, outcome text, provider_task_id text), app.providers p
    where o.outcome = 'accepted'
      and j.id = any (array[o.video_job_id])
      and j.status = 'claimed'
      and j.processing_node = p_node
      and p.name = j.provider
    returning j.id, j.video_id, j.attempt
  ), moved as (
    update public.videos v
    set stage = 'analyzing', progress = 10
    from accepted a
    where v.id = any (array[a.video_id]) and v.status = 'processing'
    returning v.id, v.user_id, v.provider, v.model, a.attempt
  ), told as (
    insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, eta_seconds)
    select m.id, m.user_id, m.attempt, 'analyzing', 10, app.stage_message('analyzing', 10), s.median_seconds
    from moved m
    left join app.model_stats s on s.provider = m.provider and s.model = m.model
  )
  select coalesce(array_agg(a.id), '{}') into v_accepted from accepted a;
  return v_accepted;
end;
$$;
comment on function app.record_accepted(jsonb, text) is 'Attempts that the provider took are to be asked about from now on. Returns those that were this worker''s still.';

create function app.cancel_unwanted(p_outcomes jsonb) returns void
language plpgsql set search_path = ''
as $$
begin
  insert into app.cancellations (video_job_id, provider, provider_task_id)
  select o.video_job_id, p.name, o.provider_task_id
  from jsonb_to_recordset(p_outcomes) as o (video_job_id uuid, outcome text, provider text, provider_task_id text)
  left join public.video_jobs j on j.id = any (array[o.video_job_id])
  join app.providers p on p.name = coalesce(j.provider, o.provider) and p.can_cancel
  where o.outcome = 'accepted' and (j.id is null or j.status in ('cancelled', 'failed'))
  on conflict do nothing;
end;
$$;
comment on function app.cancel_unwanted(jsonb) is 'What the provider took of attempts that were cancelled, deleted or given up while they were being handed over is to be cancelled there, where it can.';

create function app.record_refused(p_outcomes jsonb, p_node text)
returns table (video_job_id uuid, result text)
language plpgsql set search_path = ''
as $$
declare
  v_outcome record;
  v_job public.video_jobs;
  v_rest integer;
  v_ours boolean;
  v_unknown integer := 0;
  v_why text;
begin
  for v_outcome in
    with refused as materialized (
      select v.user_id, o.*
      from jsonb_to_recordset(p_outcomes) as o (
        video_job_id uuid, outcome text, code text, kind text, people_code text, people_message text,
        provider_error jsonb, delay_seconds integer
      )
      join public.video_jobs j on j.id = any (array[o.video_job_id])
      join public.videos v on v.id = any (array[j.video_id])
      where o.outcome in ('failed', 'held', 'unknown')
    )
    select r.* from refused r order by r.user_id
  loop
    select j.* into v_job from public.video_jobs j where j.id = v_outcome.video_job_id for update;
    if v_job.status <> 'claimed' or v_job.processing_node <> p_node then
      continue;
    end if;
    video_job_id := v_job.id;
    -- An attempt that the provider may have already is not given up for a refusal that may pass: a
    -- fresh one would be a second purchase. Only a refusal of the input itself ends it.
    if v_outcome.outcome in ('held', 'unknown') or (v_job.maybe_bought and v_outcome.delay_seconds is not null) then
      -- A picture that our own Storage does not give is no word of the provider's, and no other has it.
      -- Neither is it one that a worker could not say what to make, or came too late to call the provider.
      v_ours := coalesce(v_outcome.code in ('avatar_unreadable', 'not_built', 'lease_over'), false);
      if not v_ours then
        v_rest := greatest(v_rest, v_outcome.delay_seconds, 1);
        v_why := v_outcome.code;
      end if;
      if v_outcome.outcome = 'held' and not v_ours
        and app.move_on(v_job.id, v_outcome.code, v_outcome.kind, v_outcome.provider_error) then
        result := 'moved';
        return next;
        continue;
      end if;
      perform app.hold_attempt(
        v_job.id, v_outcome.outcome = 'unknown' or v_job.maybe_bought,
        v_outcome.code, v_outcome.kind, v_outcome.provider_error, coalesce(v_outcome.delay_seconds, 15)
      );
      result := 'held';
    elsif v_outcome.kind = 'model_off'
      and app.move_on(v_job.id, v_outcome.code, v_outcome.kind, v_outcome.provider_error) then
      -- Not an outage: the provider's other models are made as before.
      result := 'moved';
    else
      result := app.fail_attempt(
        v_job.id, v_outcome.code, v_outcome.kind, v_outcome.people_code, v_outcome.people_message,
        v_outcome.provider_error, v_outcome.delay_seconds
      );
      -- Where the id is not ours, each of these is a video that nobody dares to hand over again.
      if v_outcome.code = 'unknown_outcome' then
        v_unknown := v_unknown + 1;
        v_rest := greatest(v_rest, 5);
        v_why := v_outcome.code;
      end if;
    end if;
    return next;
  end loop;

  -- The provider rests only if it took nothing at all: one attempt that it chokes on is not an outage.
  if v_rest is not null and not p_outcomes @> '[{"outcome": "accepted"}]' then
    perform app.note_refusal(v_job.provider, v_rest, v_why, greatest(v_unknown, 1));
  end if;
end;
$$;
comment on function app.record_refused(jsonb, text) is
  'Attempts that the provider refused, or said nothing to: held, moved to the next provider of the chain, retried or failed. Returns what became of each that was this worker''s still.';

create function app.record_submissions(p_outcomes jsonb, p_node text, p_patience text default null)
returns table (video_job_id uuid, result text)
language plpgsql set search_path = ''
-- By their ids, always, and planned once: see docs/adr/0010-by-their-ids.md.
set enable_seqscan = off set enable_indexonlyscan = off set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  v_accepted uuid[];
begin
  if p_patience is not null then
    -- For the whole transaction, as in app.settle_video_jobs.
    p_patience := set_config('lock_timeout', p_patience, true);
  end if;
  perform app.lock_videos(array(select o.video_job_id from jsonb_to_recordset(p_outcomes) as o (video_job_id uuid)));

  v_accepted := app.record_accepted(p_outcomes, p_node);
  result := 'accepted';
  foreach video_job_id in array v_accepted loop
    return next;
  end loop;
  if cardinality(v_accepted) < jsonb_array_length(p_outcomes) then
    perform app.note_late_answers(p_outcomes, p_node);
    perform app.cancel_unwanted(p_outcomes);
    return query select r.* from app.record_refused(p_outcomes, p_node) r;
  end if;

  -- Of late answers, too: the provider is there.
  perform app.note_acceptance(j.provider)
  from public.video_jobs j
  where j.id = any (array(
    select o.video_job_id from jsonb_to_recordset(p_outcomes) as o (video_job_id uuid, outcome text) where o.outcome = 'accepted'
  ))
  limit 1;

  -- What a webhook told of before this answer is due already, and that ring may have found nobody to ask.
  if exists (
    select 1 from public.video_jobs j
    -- By their ids: said otherwise, the index of all that is due would be searched.
    where j.id = any (v_accepted) and coalesce(j.next_poll_at <= clock_timestamp(), false)
  ) then
    perform app.ring('poll');
  end if;
end;
$$;
comment on function app.record_submissions(jsonb, text, text) is
  'Writes down what the provider said to a submit call: [{video_job_id, outcome: accepted | failed | held | unknown, provider, provider_task_id | code, kind, people_code, people_message, provider_error, delay_seconds}]. Only attempts still claimed by this worker change; the rest are left out of the answer, what they cost is noted, and what was accepted of an attempt that is over is cancelled at a provider that can. p_patience: the lock_timeout until the transaction ends. Returns accepted, held, moved (to the next provider of the chain), retried or failed.';

create function app.hold_attempt(p_job_id uuid, p_maybe_bought boolean, p_code text, p_kind text, p_provider_error jsonb, p_delay_seconds integer)
returns void
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  -- However long the provider asks us to wait: an hour from now it is asked again.
  v_again timestamptz := clock_timestamp() + least(greatest(p_delay_seconds, 1), 3600) * interval '1 second';
  v_job public.video_jobs;
  v_lead bigint;
begin
  update public.video_jobs j
  set status = case when p_maybe_bought then 'claimed' else 'pending' end,
    maybe_bought = p_maybe_bought,
    lease_until = clock_timestamp(),
    -- An attempt the provider may have is asked about as well as handed over again: it must not be given
    -- up after hours of waiting for its turn, though it was made long ago.
    next_poll_at = case when p_maybe_bought then coalesce(
      j.next_poll_at, clock_timestamp() + s.poll_steps[cardinality(s.poll_steps)] * interval '1 second'
    ) end,
    -- Neither is a worker that vanished: it does not count against the claims.
    claim_count = j.claim_count - 1,
    error_code = p_code, error_kind = p_kind, provider_error = p_provider_error
  from app.settings s
  where s.only_row and j.id = p_job_id and j.status = 'claimed'
  returning j.* into v_job;
  if not found then
    return;
  end if;
  if not p_maybe_bought then
    update public.videos v
    set status = 'queued', stage = 'initializing', progress = 0
    where v.id = v_job.video_id and v.status = 'processing';
  end if;
  -- Behind others, and further behind the longer it has been waiting, a gem for each ten seconds: what the
  -- provider never takes must not be all that it is asked, however cheap it is.
  select greatest(v.gem_cost, extract(epoch from clock_timestamp() - v_job.created_at) / 10)::bigint into v_lead
  from public.videos v
  where v.id = v_job.video_id;
  perform app.queue_submission(v_job.id, v_job.provider, v_lead, v_again);
end;
$$;
comment on function app.hold_attempt(uuid, boolean, text, text, jsonb, integer) is
  'The same attempt waits and is handed over again under its id. p_maybe_bought false: the provider refused it for reasons of its own (rate limit, our account, our key), nothing was bought, the video is queued again. True: no word came back, so it may have been bought and stays claimed; handing it over again under the same id cannot buy it twice. Costs no attempt; the queued deadline bounds it.';

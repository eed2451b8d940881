-- Claiming attempts to hand them to a provider. A worker takes its jobs from the queue and calls
-- app.start_submissions in the same transaction, calls the provider, then calls
-- app.record_submissions (in the next file) and completes its queue jobs in one more.

create function app.submission_slots(p_provider text, p_most integer) returns integer
language plpgsql set search_path = ''
as $$
begin
  -- Taken until commit: two workers count the free slots one after the other, never both at once.
  perform pg_advisory_xact_lock(hashtext('gemreel.slots.' || p_provider));
  return least(p_most, app.free_slots(p_provider));
end;
$$;
comment on function app.submission_slots(text, integer) is 'How many attempts this transaction may take for the provider. Call it before fetching from the queue.';

create function app.note_doubts(p_video_ids uuid[]) returns void
language sql set search_path = ''
as $$
  insert into public.unknown_outcomes (video_job_id, video_id, provider, model, provider_task_id, provider_error)
  select j.id, j.video_id, j.provider, j.model, j.provider_task_id, j.provider_error
  from public.video_jobs j
  where j.video_id = any (p_video_ids) and j.status = 'claimed'
  on conflict (video_job_id) do nothing;
$$;
comment on function app.note_doubts(uuid[]) is
  'Called before the live attempts of these videos are ended by us: those that their provider may have, or be given right now, though it never said so, are told to the operator until its answer is written down. The caller holds the videos'' locks.';

-- The parts of app.start_submissions, which holds the videos' locks. They are called by nobody else, and planned
-- under its settings.

create function app.end_unfit(p_job_ids uuid[]) returns uuid[]
language plpgsql set search_path = ''
as $$
declare
  v_max_claims integer;
  v_job record;
  v_people_code text;
  v_left uuid[] := '{}';
begin
  select s.max_claims into v_max_claims from app.settings s;
  for v_job in
    with ended as materialized (
      select j.id, j.video_id, v.user_id, case
        -- Claimed means that a worker vanished between its two transactions. Where the id is not ours, to hand it
        -- over again might be a second purchase.
        when not p.chooses_task_id and j.status = 'claimed' then 'unknown_outcome'
        -- A picture whose use was forbidden since the video was queued leaves the house no more.
        when v.avatar_path is not null and not app.has_consent(v.child_id) then 'consent_withdrawn'
        -- Under our id the provider recognises it. But one that kills every worker must come to an end.
        when j.claim_count >= v_max_claims then 'worker_lost'
      end as code
      from public.video_jobs j
      join public.videos v on v.id = any (array[j.video_id])
      join app.providers p on p.name = j.provider
      where j.id = any (p_job_ids)
        -- Whoever still holds the lease may be handing it over right now.
        and (j.status = 'pending' or (j.status = 'claimed' and j.lease_until <= clock_timestamp()))
    )
    select e.* from ended e where e.code is not null order by e.user_id
  loop
    begin
      perform app.note_doubts(array[v_job.video_id]);
      v_people_code := case v_job.code when 'consent_withdrawn' then v_job.code else 'worker_lost' end;
      perform app.fail_attempt(
        v_job.id, v_job.code, 'server', v_people_code, app.failure_message(v_people_code), null, null
      );
      perform app.keep_clips_now();
    exception when data_exception or integrity_constraint_violation or lock_not_available then
      -- It is left as it was, for app.reconcile to say so each minute, and keeps no other from its turn.
      raise warning 'Attempt % could not be ended: %', v_job.id, sqlerrm;
      v_left := v_left || v_job.id;
    end;
  end loop;
  return v_left;
end;
$$;
comment on function app.end_unfit(uuid[]) is
  'Ends those of these attempts that are not to be handed over: perhaps bought already, killing one worker after the other, or with a picture whose use was forbidden. Returns those that could not be ended now.';

create function app.move_fair_clock(p_job_ids uuid[]) returns void
language plpgsql set search_path = ''
as $$
begin
  -- Nobody else claims for this provider meanwhile (see app.submission_slots), so that the oldest claim
  -- that is seen here is the oldest there is.
  update app.fair_clocks c
  set tag = greatest(c.tag, c.base + t.offset_from_base),
    counted_from = least(t.claimed_at, (
      select j.processing_started_at from public.video_jobs j
      where j.provider = c.provider and j.in_flight and j.processing_started_at >= c.counted_from
      order by j.processing_started_at
      limit 1
    ))
  from (
    select j.provider, max(-q.priority) as offset_from_base, min(j.processing_started_at) as claimed_at
    from public.video_jobs j
    left join pgboss.job q on q.name = any (array[app.submit_queue(j.provider)]) and q.id = j.id
    where j.id = any (p_job_ids)
    group by j.provider
  ) t
  where c.provider = t.provider;
end;
$$;
comment on function app.move_fair_clock(uuid[]) is
  'The fair clock of the provider that these attempts were just claimed for moves to the last of them, and counting what is in flight begins at the oldest claim that is.';

create function app.start_submissions(p_job_ids uuid[], p_node text)
returns table (
  video_job_id uuid,
  started boolean,
  provider text,
  model text,
  attempt smallint,
  repeated boolean,
  kind text,
  prompt text,
  options jsonb,
  avatar_path text,
  child_name text,
  title text,
  prompt_template text,
  negative_prompt text,
  style text,
  video_template_url text,
  duration_seconds numeric,
  width integer,
  height integer,
  lease_seconds integer
)
-- Planned once: planning for each list of ids takes longer than looking a few of them up. And looked up they
-- are, always: see docs/adr/0010-by-their-ids.md.
language plpgsql set search_path = ''
set enable_seqscan = off set enable_indexonlyscan = off set plan_cache_mode = force_generic_plan set jit = off
-- For the refunds of what is ended here: an owner that somebody holds keeps no other from being handed over.
set lock_timeout = '1s'
as $$
declare
  v_settings app.settings;
  v_free uuid[];
  v_ids uuid[];
  v_left uuid[];
begin
  select s.* into v_settings from app.settings s;

  -- A video that somebody holds comes back later.
  v_free := app.lock_free_videos(p_job_ids);
  v_free := array(select j.id from public.video_jobs j where j.id = any (p_job_ids) and j.video_id = any (v_free));

  v_left := app.end_unfit(v_free);
  v_free := array(select f.id from unnest(v_free) as f (id) where f.id <> all (v_left));
  p_job_ids := array(select i.id from unnest(p_job_ids) as i (id) where i.id <> all (v_left));

  with started as (
    update public.video_jobs j
    set status = 'claimed',
      claim_count = j.claim_count + 1,
      -- Whoever held it vanished, perhaps after the provider had taken it. So no refusal of what is
      -- asked now says that nothing was bought, and the provider is asked about it as well.
      maybe_bought = j.maybe_bought or j.status = 'claimed',
      next_poll_at = case when j.status = 'claimed' then coalesce(j.next_poll_at, clock_timestamp()) end,
      processing_node = p_node,
      processing_started_at = clock_timestamp(),
      lease_until = clock_timestamp() + v_settings.submit_lease_seconds * interval '1 second'
    where j.id = any (v_free)
      and (
        j.status = 'pending'
        or (j.status = 'claimed' and j.lease_until <= clock_timestamp())
      )
    returning j.id, j.video_id
  ), moved as (
    update public.videos v
    set status = 'processing', stage = 'initializing', progress = 5,
      started_at = coalesce(v.started_at, clock_timestamp())
    from started s
    where v.id = any (array[s.video_id]) and v.status in ('queued', 'processing')
    returning v.id
  )
  select array_agg(s.id) into v_ids from started s;

  perform app.move_fair_clock(v_ids);

  return query
  select
    j.id, coalesce(j.id = any (v_ids), false), j.provider, j.model, j.attempt, j.maybe_bought,
    v.kind, v.prompt, v.options, v.avatar_path,
    -- A rhyme sings of its child; nobody else needs the name.
    case when v.kind = 'rhyme' and app.has_consent(v.child_id) then c.name end, v.title,
    r.prompt_template, coalesce(v.negative_prompt, r.negative_prompt), r.style, r.video_template_url,
    r.duration_seconds, r.width, r.height, v_settings.submit_lease_seconds
  from public.video_jobs j
  join public.videos v on v.id = any (array[j.video_id])
  left join public.children c on c.id = any (array[v.child_id])
  left join public.rhymes r on r.id = v.rhyme_id
  where j.id = any (p_job_ids) and j.status in ('pending', 'claimed');
end;
$$;
comment on function app.start_submissions(uuid[], text) is
  'Claims attempts for this worker and returns what it needs to ask the provider. started is false where another worker still holds the lease, or anybody the video: that queue job is to come back later. repeated is true where the provider may have the attempt already. lease_seconds: how long nobody else takes it. Attempts that are over are left out: their queue jobs are done. Moves the fair clock.';

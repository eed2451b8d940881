-- The next provider of a video's chain, at no extra gems.

create function app.try_again(p_video public.videos, p_attempt integer, p_priority integer, p_fallback jsonb, p_delay_seconds integer, p_message text, p_lead bigint default 0)
returns void
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_id uuid := app.timed_uuid(4);
  v_start timestamptz := clock_timestamp() + p_delay_seconds * interval '1 second';
  v_provider text := coalesce(p_fallback ->> 'provider', p_video.provider);
  v_model text := coalesce(p_fallback ->> 'model', p_video.model);
begin
  update public.videos v
  set status = 'queued', stage = 'initializing', progress = 0, provider = v_provider, model = v_model,
    fallbacks = coalesce(
      (select jsonb_agg(f.fallback order by f.place)
        from jsonb_array_elements(v.fallbacks) with ordinality as f (fallback, place)
        where f.fallback is distinct from p_fallback),
      '[]'
    )
  where v.id = p_video.id;
  insert into public.video_jobs (id, video_id, attempt, provider, model, priority, scheduled_at)
  values (v_id, p_video.id, p_attempt, v_provider, v_model, p_priority, v_start);
  perform app.add_progress(p_video.id, p_video.user_id, p_attempt, 'initializing', 0, null, p_message);
  perform app.queue_submission(v_id, v_provider, p_lead, v_start);
end;
$$;
comment on function app.try_again(public.videos, integer, integer, jsonb, integer, text, bigint) is
  'Queues the next attempt at a video whose last one is over, at the provider it was at or at p_fallback, so many gems ahead of the clock. The caller holds the video''s lock.';

create function app.move_on(p_job_id uuid, p_code text, p_kind text, p_provider_error jsonb) returns boolean
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_video public.videos;
  v_job public.video_jobs;
  v_fallback jsonb;
  v_lead bigint;
begin
  select v.* into v_video
  from public.videos v
  where v.id = (select j.video_id from public.video_jobs j where j.id = p_job_id) and v.fallbacks <> '[]'
  for update;
  v_fallback := app.next_fallback(v_video, p_kind);
  if v_fallback is null then
    return false;
  end if;
  update public.video_jobs j
  set status = 'failed', finished_at = clock_timestamp(), next_poll_at = null, lease_until = null,
    error_code = p_code, error_kind = p_kind, provider_error = p_provider_error
  where j.id = p_job_id and j.status in ('pending', 'claimed') and not j.maybe_bought
  returning j.* into v_job;
  if not found then
    return false;
  end if;
  -- What still waits for its turn is as far ahead of the clock at the next provider as it was here.
  select greatest(c.base - q.priority - c.tag, 0) into v_lead
  from pgboss.job q, app.fair_clocks c
  where q.name = app.submit_queue(v_job.provider) and q.id = v_job.id and c.provider = v_job.provider;
  -- What nobody is to take any more would stand in the way of the one that tries whether the provider
  -- is back. A worker that is taking it waits for this video: it is left to that worker.
  delete from pgboss.job q
  where q.name = app.submit_queue(v_job.provider) and q.id in (
    select w.id from pgboss.job w
    where w.name = app.submit_queue(v_job.provider) and w.id = v_job.id and w.state < 'active'
    for update skip locked
  );
  perform app.try_again(v_video, v_job.attempt + 1, v_job.priority, v_fallback, 0, 'Another studio takes over…', coalesce(v_lead, 0));
  return true;
end;
$$;
comment on function app.move_on(uuid, text, text, jsonb) is
  'Ends an attempt that its provider refused for reasons of its own and makes the next one at the next provider of the chain. Costs no retry and no gems. False where no other provider takes work now, or the provider may have the attempt.';

create function app.prepare_submitting(p_providers text[]) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_row record;
  v_moved integer := 0;
begin
  -- A provider that this deployment has no key for would keep its videos waiting, and cron ringing.
  update app.providers p
  set paused_until = clock_timestamp() + interval '5 minutes', pause_reason = 'not_configured'
  where p.name in (
    select o.name from app.providers o
    where o.name <> all (p_providers)
      and coalesce(o.paused_until <= clock_timestamp(), true)
      and exists (
        select 1 from pgboss.job j where j.name = app.submit_queue(o.name) and j.state < 'active'
      )
    -- One that an operator is changing is left to the next round.
    for no key update skip locked
  );
  for v_row in
    select w.video_job_id
    from app.waiting_in_vain(200) w
    -- Locked, so that Postgres looks once more: it may be claimed between the look and the lock.
    join public.video_jobs j on j.id = w.video_job_id and j.status = 'pending'
    join public.videos v on v.id = j.video_id
    order by v.id
    for update of v, j skip locked
  loop
    if app.move_on(v_row.video_job_id, 'provider_resting', 'server', null) then
      v_moved := v_moved + 1;
    end if;
  end loop;
  return jsonb_build_object(
    'moved', v_moved,
    'providers', (select coalesce(jsonb_agg(w.name), '[]') from app.providers_with_work('submit') w)
  );
end;
$$;
comment on function app.prepare_submitting(text[]) is
  'What a submitter does before it takes work: rests the providers it has no key for, and moves attempts that wait in vain on to the next provider of their chain. Returns how many moved, and for which providers there is work.';

-- What brings back whatever a crash, a lost message or a silent provider left behind.

create function app.live_queue_job(p_queue text, p_id uuid) returns boolean
language sql stable set search_path = ''
as $$
  select exists (select 1 from pgboss.job j where j.name = p_queue and j.id = p_id and j.state <= 'active');
$$;
comment on function app.live_queue_job(text, uuid) is 'Whether the queue still has this job waiting, retrying or in a worker''s hands.';

-- The five parts of app.reconcile. They go row by row: what cannot be rescued is left as it was, with a
-- warning, and keeps no other from its rescue. "failed" counts those. Nor does what somebody holds, an owner
-- say, a project, or a row of the queue: for a lock they wait a tenth of a second, and where very many are
-- held they leave the others to the next minute, so that each part has its turn. Each first picks what it may
-- be about, and then looks that up by its id and locks it: what a burst has left is read once, whatever the
-- statistics say (docs/adr/0010-by-their-ids.md).

create function app.awaits_worker(p_job public.video_jobs) returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  return p_job.status = 'pending' or (p_job.status = 'claimed' and p_job.lease_until <= clock_timestamp());
end;
$$;
comment on function app.awaits_worker(public.video_jobs) is 'Whether an attempt waits for a worker to hand it over, for the first time or again after its worker vanished.';

create function app.may_be_asked_about(p_job public.video_jobs, p_provider app.providers) returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  return p_provider.chooses_task_id and p_job.maybe_bought
    and coalesce(p_job.processing_started_at > clock_timestamp() - interval '10 minutes', false);
end;
$$;
comment on function app.may_be_asked_about(public.video_jobs, app.providers) is 'Whether the provider may have taken an attempt a moment ago, and can be asked: that comes before it is given up.';

create function app.end_unstarted(p_limit integer) returns jsonb
language plpgsql set search_path = '' set lock_timeout = '100ms'
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_settings app.settings;
  v_row record;
  v_ended integer := 0;
  v_failed integer := 0;
  v_until timestamptz := clock_timestamp() + interval '4 seconds';
begin
  select s.* into v_settings from app.settings s;

  -- An attempt that no provider has taken for too long, and that nobody is handing over right now. The
  -- attempt is locked, too: it may be claimed between this look and the lock, and Postgres looks once more
  -- only at what it locks.
  for v_row in
    with late as materialized (
      select v.id, v.user_id, j.id as job_id
      from public.videos v
      cross join lateral (select j.* from public.video_jobs j where j.video_id = v.id offset 0) j
      join app.providers p on p.name = j.provider
      where v.under_way and v.status in ('queued', 'processing') and app.awaits_worker(j)
        and j.created_at < clock_timestamp() - v_settings.queued_deadline_minutes * interval '1 minute'
        and not app.may_be_asked_about(j, p)
    )
    select v.id, j.id as job_id,
      j.status = 'claimed' and not p.chooses_task_id as unknown,
      j.status = 'claimed' and p.chooses_task_id and j.next_poll_at is null as unasked
    from (select l.* from late l order by l.user_id, l.id limit p_limit) l
    join public.videos v on v.id = any (array[l.id])
    join public.video_jobs j on j.id = any (array[l.job_id])
    join app.providers p on p.name = j.provider
    where app.awaits_worker(j) and not app.may_be_asked_about(j, p)
    for update of v, j skip locked
  loop
    -- Claimed means that a worker vanished in the middle of handing it over: it may have been bought.
    begin
      if v_row.unasked then
        -- Under our id the provider can be asked, so it is; it is given up the next time.
        update public.video_jobs j set maybe_bought = true, next_poll_at = clock_timestamp() where j.id = v_row.job_id;
        continue;
      end if;
      perform app.note_doubts(array[v_row.id]);
      if v_row.unknown then
        perform app.fail_attempt(
          v_row.job_id, 'unknown_outcome', 'server', 'worker_lost',
          app.failure_message('worker_lost'), null, null
        );
      else
        perform app.fail_video(v_row.id, 'not_started', app.failure_message('not_started'));
      end if;
      perform app.keep_clips_now();
      v_ended := v_ended + 1;
    exception when others then
      raise warning 'Video % could not be rescued: %', v_row.id, sqlerrm;
      v_failed := v_failed + 1;
    end;
    exit when clock_timestamp() > v_until;
  end loop;
  return jsonb_build_object('never_started', v_ended, 'failed', v_failed);
end;
$$;
comment on function app.end_unstarted(integer) is
  'Ends attempts that no provider has taken for too long. Returns {never_started, failed}.';

create function app.end_unanswered(p_limit integer) returns jsonb
language plpgsql set search_path = '' set lock_timeout = '100ms'
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_row record;
  v_ended integer := 0;
  v_failed integer := 0;
  v_until timestamptz := clock_timestamp() + interval '4 seconds';
begin
  -- Deadlines are decided when the provider answers. Where nobody has asked for hours, there is an end too.
  for v_row in
    with late as materialized (
      select j.id, v.user_id, j.video_id
      from public.video_jobs j
      join public.videos v on v.id = any (array[j.video_id])
      where j.in_flight and j.status = 'processing' and j.deadline_at <= clock_timestamp() - interval '6 hours'
    )
    select l.id
    from (select l.* from late l order by l.user_id, l.video_id limit p_limit) l
    join public.videos v on v.id = any (array[l.video_id])
    for update of v skip locked
  loop
    begin
      if app.fail_attempt(v_row.id, 'deadline', 'timeout', 'timed_out',
        app.failure_message('timed_out'), null, 5) <> 'lost' then
        perform app.keep_clips_now();
        v_ended := v_ended + 1;
      end if;
    exception when others then
      raise warning 'Attempt % could not be rescued: %', v_row.id, sqlerrm;
      v_failed := v_failed + 1;
    end;
    exit when clock_timestamp() > v_until;
  end loop;
  return jsonb_build_object('timed_out', v_ended, 'failed', v_failed);
end;
$$;
comment on function app.end_unanswered(integer) is
  'Ends attempts that nobody has asked about for hours after their deadline. Returns {timed_out, failed}.';

create function app.requeue_attempts(p_limit integer) returns jsonb
language plpgsql set search_path = '' set lock_timeout = '100ms'
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_row record;
  v_requeued integer := 0;
  v_failed integer := 0;
  v_until timestamptz := clock_timestamp() + interval '4 seconds';
begin
  -- An attempt that waits for a worker, but the queue knows nothing of it (any more).
  for v_row in
    with lost as materialized (
      select v.id, j.id as job_id
      from public.videos v
      cross join lateral (select j.* from public.video_jobs j where j.video_id = v.id offset 0) j
      where v.under_way and v.status in ('queued', 'processing') and app.awaits_worker(j)
        and not app.live_queue_job(app.submit_queue(j.provider), j.id)
    )
    select j.id, j.provider
    from (select l.* from lost l order by l.id limit p_limit) l
    join public.videos v on v.id = any (array[l.id])
    join public.video_jobs j on j.id = any (array[l.job_id])
    where app.awaits_worker(j)
    for update of v, j skip locked
  loop
    begin
      perform app.queue_submission(v_row.id, v_row.provider);
      v_requeued := v_requeued + 1;
    exception when others then
      raise warning 'Attempt % could not be rescued: %', v_row.id, sqlerrm;
      v_failed := v_failed + 1;
    end;
    exit when clock_timestamp() > v_until;
  end loop;
  return jsonb_build_object('requeued', v_requeued, 'failed', v_failed);
end;
$$;
comment on function app.requeue_attempts(integer) is
  'Puts attempts back into their submit queue that wait for a worker and are not in it. Returns {requeued, failed}.';

create function app.requeue_copies(p_limit integer) returns jsonb
language plpgsql set search_path = '' set lock_timeout = '100ms'
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_late timestamptz;
  v_row record;
  v_requeued integer := 0;
  v_given_up integer := 0;
  v_failed integer := 0;
  v_until timestamptz := clock_timestamp() + interval '4 seconds';
begin
  select clock_timestamp() - s.storing_deadline_minutes * interval '1 minute' into v_late from app.settings s;

  -- A delivered file that is not stored: give up after the deadline, else ask again. What nobody has begun
  -- to copy (we were down, not the file), and what somebody is copying, has an hour more.
  for v_row in
    with lost as materialized (
      select v.id, v.user_id, j.id as job_id, j.finished_at < v_late as late
      from public.videos v
      cross join lateral (select j.* from public.video_jobs j where j.video_id = v.id offset 0) j
      where v.under_way and v.status = 'rendering' and j.status = 'completed'
        and (
          (
            j.finished_at < v_late
            and (
              j.finished_at < v_late - interval '1 hour'
              or not exists (
                select 1 from pgboss.job q
                where q.name = 'store-video' and q.id = j.id and q.state in ('created', 'active')
              )
            )
          )
          or not app.live_queue_job('store-video', j.id)
        )
    )
    select l.job_id as id, l.late
    from (select l.* from lost l order by l.user_id, l.id limit p_limit) l
    join public.videos v on v.id = any (array[l.id])
    where v.status = 'rendering'
    for update of v skip locked
  loop
    begin
      if v_row.late then
        perform app.fail_storing(v_row.id, 'storing_deadline', null);
        perform app.keep_clips_now();
        v_given_up := v_given_up + 1;
      else
        perform app.enqueue('store-video', v_row.id, jsonb_build_object('video_job_id', v_row.id));
        v_requeued := v_requeued + 1;
      end if;
    exception when others then
      raise warning 'Attempt % could not be rescued: %', v_row.id, sqlerrm;
      v_failed := v_failed + 1;
    end;
    exit when clock_timestamp() > v_until;
  end loop;
  return jsonb_build_object('store_requeued', v_requeued, 'store_given_up', v_given_up, 'failed', v_failed);
end;
$$;
comment on function app.requeue_copies(integer) is
  'Puts delivered files back into the queue of those to be copied, or gives them up after the deadline. Returns {store_requeued, store_given_up, failed}.';

create function app.requeue_deliveries(p_limit integer) returns jsonb
language plpgsql set search_path = '' set lock_timeout = '100ms'
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_row record;
  v_requeued integer := 0;
  v_failed integer := 0;
  v_until timestamptz := clock_timestamp() + interval '4 seconds';
begin
  -- A notification that is to be sent, but the queue knows nothing of it (any more).
  for v_row in
    select d.id, d.channel
    from public.notification_deliveries d
    where d.status = 'pending' and not app.live_queue_job('notify-' || d.channel, d.id)
    order by d.created_at, d.id
    limit p_limit
    for update skip locked
  loop
    begin
      perform app.queue_delivery(v_row.id, v_row.channel);
      v_requeued := v_requeued + 1;
    exception when others then
      raise warning 'Delivery % could not be rescued: %', v_row.id, sqlerrm;
      v_failed := v_failed + 1;
    end;
    exit when clock_timestamp() > v_until;
  end loop;
  return jsonb_build_object('notify_requeued', v_requeued, 'failed', v_failed);
end;
$$;
comment on function app.requeue_deliveries(integer) is
  'Puts notifications back into their channel''s queue that are to be sent and are not in it. Returns {notify_requeued, failed}.';

create function app.reconcile(p_limit integer default 500) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_parts jsonb[] := '{}';
begin
  v_parts := v_parts || app.end_unstarted(p_limit);
  v_parts := v_parts || app.end_unanswered(p_limit);
  v_parts := v_parts || app.requeue_attempts(p_limit);
  -- While the queue still knows what was tried in vain.
  perform app.rest_unstored();
  v_parts := v_parts || app.requeue_copies(p_limit);
  v_parts := v_parts || app.requeue_deliveries(p_limit);
  perform app.tick();
  return (
    select jsonb_object_agg(c.name, c.total)
    from (
      select e.key as name, sum(e.value::integer) as total
      from unnest(v_parts) as p (part), jsonb_each_text(p.part) as e
      group by e.key
    ) c
  );
end;
$$;
comment on function app.reconcile(integer) is
  'Brings every video that lost its way back on it, or to an end with the money right. One that cannot be rescued is left, with a warning, and keeps no other from it. Safe to run at any time, by any number of workers at once. Returns counts.';

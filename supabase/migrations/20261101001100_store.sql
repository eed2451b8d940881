-- Storing: the delivered file is copied to Storage, then the video is completed.

create function app.start_storing(p_job_ids uuid[])
returns table (
  video_job_id uuid,
  started boolean,
  video_id uuid,
  user_id uuid,
  provider text,
  provider_task_id text,
  result_url text,
  storage_path text,
  first_frame_url text,
  avatar_path text,
  seconds_waiting integer
)
language plpgsql set search_path = ''
-- By their ids, always, and planned once: see docs/adr/0010-by-their-ids.md.
set enable_seqscan = off set enable_indexonlyscan = off set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  -- One that is held comes back later.
  v_free uuid[] := app.lock_free_videos(p_job_ids);
begin
  return query
  with moved as (
    update public.videos v
    set stage = 'finalizing', progress = 95
    from public.video_jobs j
    where j.id = any (p_job_ids) and j.status = 'completed' and v.id = any (array[j.video_id]) and v.status = 'rendering'
      and v.stage = 'rendering' and v.id = any (v_free)
    returning v.id, v.user_id, j.attempt
  ), told as (
    insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, eta_seconds)
    select m.id, m.user_id, m.attempt, 'finalizing', 95, app.stage_message('finalizing', 95), 2
    from moved m
  )
  select
    j.id, v.id = any (v_free), v.id, v.user_id, j.provider, j.provider_task_id, j.result_url,
    -- One deterministic place per video, in the owner's folder: a second copy meets the first.
    app.files_of(v) || 'mp4',
    v.options ->> 'first_frame',
    v.avatar_path,
    extract(epoch from clock_timestamp() - j.finished_at)::integer
  from public.video_jobs j
  join public.videos v on v.id = any (array[j.video_id])
  where j.id = any (p_job_ids) and j.status = 'completed' and v.status = 'rendering';
end;
$$;
comment on function app.start_storing(uuid[]) is
  'What a worker needs to copy the files of these attempts. Attempts whose video is no longer rendering are left out: their queue jobs are done. started is false where somebody holds the video: that queue job is to come back later. seconds_waiting: since it was delivered.';

create function app.put_behind(p_queue text, p_id uuid) returns void
language sql set search_path = ''
as $$
  update pgboss.job j set priority = -1 where j.name = p_queue and j.id = p_id and j.state = 'retry';
$$;
comment on function app.put_behind(text, uuid) is 'A job that is to be tried again comes after those that were not tried yet.';

create function app.discard_files(p_video_id uuid) returns void
language sql set search_path = ''
as $$
  -- A copy may be under way: Storage shows it when it is whole, which takes minutes at most.
  select app.delete_objects(
    v.user_id, 'videos', app.files_of(v), clock_timestamp() + interval '10 minutes'
  )
  from public.videos v
  where v.id = p_video_id and v.status in ('failed', 'cancelled');
$$;
comment on function app.discard_files(uuid) is 'Has the files deleted that were, or are being, copied for a video that ended otherwise.';

create function app.finish_storing(p_job_id uuid, p_storage_path text, p_thumbnail_path text default null)
returns boolean
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_video public.videos;
begin
  update public.videos v
  set status = 'completed', stage = 'completed', progress = 100, storage_path = p_storage_path,
    thumbnail_path = p_thumbnail_path,
    duration_seconds = coalesce(
      (v.options ->> 'duration')::numeric,
      (select r.duration_seconds from public.rhymes r where r.id = v.rhyme_id)
    ),
    completed_at = clock_timestamp()
  where v.id = (select j.video_id from public.video_jobs j where j.id = p_job_id and j.status = 'completed')
    and v.status = 'rendering'
  returning v.* into v_video;
  if not found then
    perform app.discard_files((select j.video_id from public.video_jobs j where j.id = p_job_id));
    return false;
  end if;
  perform app.add_progress(
    v_video.id, v_video.user_id, (select j.attempt from public.video_jobs j where j.id = p_job_id), 'completed', 100, 0
  );
  insert into public.notifications (user_id, video_id, kind, title, body, data)
  values (
    v_video.user_id, v_video.id, 'video_ready', 'Your video is ready', v_video.title,
    jsonb_build_object('video_id', v_video.id, 'action', 'view_video')
  )
  on conflict (video_id, kind) do nothing;
  return true;
end;
$$;
comment on function app.finish_storing(uuid, text, text) is
  'Completes the video of a delivered attempt once its file is in Storage (and its thumbnail, where it has one), and writes the notice. False when it was over already; unless it was completed, the file goes again.';

create function app.fail_storing(p_job_id uuid, p_code text, p_provider_error jsonb) returns boolean
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_video public.videos;
begin
  -- The video before its attempt, as everywhere.
  select v.* into v_video
  from public.videos v
  where v.id = (select j.video_id from public.video_jobs j where j.id = p_job_id)
  for update;
  update public.video_jobs j
  set error_code = p_code, error_kind = 'storing', provider_error = p_provider_error
  where j.id = p_job_id and j.status = 'completed';
  if not app.fail_video(
    v_video.id, 'storing_failed', app.failure_message('storing_failed')
  ) then
    return false;
  end if;
  -- A thumbnail may be there, or the file, copied by a worker that died before it said so, or late.
  perform app.discard_files(v_video.id);
  return true;
end;
$$;
comment on function app.fail_storing(uuid, text, jsonb) is
  'The delivered file cannot be had: the video fails, the gems come back, and what was copied of it goes. False when it was over already.';

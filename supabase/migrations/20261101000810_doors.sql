-- The other doors of the app: cancel a video, tell how it stands, take in a provider's events.
-- Each is SECURITY DEFINER because no role, not even the service role, may write these tables;
-- each is granted to the service role alone (see the access migration).

create function app.stop_video(p_video public.videos) returns boolean
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_refund integer;
begin
  if p_video.status not in ('queued', 'processing') then
    return false;
  end if;
  -- Queued: no provider is at it, all comes back. Processing: the submit call is under
  -- way or done and the provider will bill us; what comes back is the operator's setting.
  v_refund := case p_video.status
    when 'queued' then p_video.gem_cost
    else (p_video.gem_cost * (select s.cancel_refund_percent from app.settings s)) / 100
  end;
  -- The call that is under way may buy it. Its answer closes the doubt; a worker that dies leaves it open.
  perform app.note_doubts(array[p_video.id]);
  update public.video_jobs j
  set status = 'cancelled', finished_at = clock_timestamp(), next_poll_at = null
  where j.video_id = p_video.id and j.status in ('pending', 'claimed', 'processing');
  update public.videos v set status = 'cancelled' where v.id = p_video.id;
  if v_refund > 0 then
    perform app.move_gems(p_video.user_id, v_refund, 'refund', p_video.id, 'Cancelled: ' || p_video.title);
  end if;
  if p_video.status = 'queued' then
    perform app.count_today(p_video.user_id, 'cancelled');
  end if;
  return true;
end;
$$;
comment on function app.stop_video(public.videos) is
  'Cancels a queued or processing video at its user''s wish: its attempt ends, what is due comes back. The row is as read under its lock, which the caller holds. False in any other state.';

create function public.cancel_video(p_user_id uuid, p_video_id uuid) returns jsonb
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_video public.videos;
begin
  perform app.refuse_people();
  select v.* into v_video
  from public.videos v
  where v.id = p_video_id and v.user_id = p_user_id
  for update;
  if not found then
    raise exception 'No video with id "%"', p_video_id using errcode = 'GM005', detail = '{"field": "video_id"}';
  end if;

  if not app.stop_video(v_video) and v_video.status <> 'cancelled' then
    raise exception 'The video is % and can no longer be cancelled', v_video.status
      using errcode = 'GM006', detail = jsonb_build_object('status', v_video.status)::text;
  end if;

  return jsonb_build_object(
    'video_id', p_video_id,
    'status', 'cancelled',
    'gems_refunded', coalesce(
      (select e.amount from public.gem_entries e where e.video_id = p_video_id and e.kind = 'refund'), 0
    ),
    'gem_balance', (select u.gem_balance from public.users u where u.id = p_user_id)
  );
end;
$$;
comment on function public.cancel_video(uuid, uuid) is
  'Cancels a queued or processing video of this user and returns what it answers: status, gems_refunded, gem_balance. A repeated call answers the same. Errors: GM005 no such video of this user, GM006 already rendering, completed or failed.';

create function app.status_of(p_video public.videos) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'video_id', p_video.id, 'title', p_video.title, 'kind', p_video.kind,
    'status', p_video.status, 'stage', p_video.stage, 'progress', p_video.progress, 'rev', p_video.rev,
    'message', (p.entry).message,
    -- What a video that was stopped had left is nothing to wait for.
    'eta_seconds', case when p_video.status not in ('failed', 'cancelled') then (p.entry).eta_seconds end,
    'gem_cost', p_video.gem_cost, 'retry_count', p_video.retry_count,
    'error_code', p_video.error_code, 'error_message', p_video.error_message,
    'storage_path', p_video.storage_path, 'thumbnail_path', p_video.thumbnail_path,
    'duration_seconds', p_video.duration_seconds,
    'created_at', p_video.created_at, 'completed_at', p_video.completed_at,
    'estimated_completion', p_video.estimated_completion_at
  )
  from (
    select (
      select e from public.video_progress e where e.video_id = p_video.id order by e.id desc limit 1
    ) as entry
  ) p;
$$;
comment on function app.status_of(public.videos) is 'Where a video stands, with its newest progress entry: what its owner is told.';

create function public.video_status(p_user_id uuid, p_video_ids uuid[]) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select app.refuse_people();
  select coalesce(jsonb_agg(app.status_of(v) order by v.created_at desc, v.id desc), '[]')
  from public.videos v
  where v.user_id = p_user_id and v.id = any (p_video_ids);
$$;
comment on function public.video_status(uuid, uuid[]) is
  'Where these videos of this user stand, with their newest progress entry. Videos of others are left out, as if they did not exist.';

create function public.videos_under_way(p_user_id uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select app.refuse_people();
  select coalesce(jsonb_agg(app.status_of(v) order by v.created_at desc, v.id desc), '[]')
  from public.videos v
  where v.id in (
    select w.id
    from public.videos w
    where w.user_id = p_user_id and w.under_way
    order by w.created_at desc, w.id desc
    limit 100
  );
$$;
comment on function public.videos_under_way(uuid) is
  'Where the videos of this user stand that are not over: the newest hundred, with their newest progress entry. Service role only.';

create function public.video_changes(p_video_ids uuid[], p_revs bigint[]) returns jsonb
language sql stable security definer set search_path = ''
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
  select app.refuse_people();
  select coalesce(jsonb_agg(jsonb_build_object(
    'video_id', k.video_id,
    'state', case when v.id is null then null else app.status_of(v) end
  )), '[]')
  from unnest(p_video_ids, p_revs) as k (video_id, rev)
  left join public.videos v on v.id = any (array[k.video_id])
  where v.id is null or v.rev > k.rev;
$$;
comment on function public.video_changes(uuid[], bigint[]) is
  'Of many watched videos only those that moved past the rev beside their id; "state" is null for one that is gone. One question for everybody who waits. Service role only: whose they are was checked when the watching began.';

create function app.record_provider_event(
  p_provider text,
  p_video_job_id uuid,
  p_hash text,
  p_payload jsonb,
  p_task_id text,
  p_task_state text
) returns jsonb
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_status text;
  v_new boolean;
begin
  -- Of a task whose create was never answered this is the only word there is, and of a deleted video too.
  -- It is for the operator, who can look the task up; nothing else believes it.
  if p_task_id is not null then
    update public.unknown_outcomes u
    set provider_task_id = p_task_id, provider_state = p_task_state
    where u.video_job_id = p_video_job_id and u.provider = p_provider and u.resolved_at is null
      and coalesce(u.provider_task_id, p_task_id) = p_task_id;
  end if;
  select j.status into v_status from public.video_jobs j where j.id = p_video_job_id and j.provider = p_provider;
  if not found then
    return jsonb_build_object('known', false, 'recorded', false, 'due', false);
  end if;

  -- A real provider says a handful of things about a task; a flood is someone else.
  insert into public.provider_events (provider, video_job_id, hash, payload)
  select p_provider, p_video_job_id, p_hash, p_payload
  where (select count(*) from public.provider_events e where e.video_job_id = p_video_job_id) < 20
  on conflict (hash) do nothing;
  v_new := found;

  -- A repetition has nothing new to say, and makes nothing due.
  if not v_new or v_status not in ('claimed', 'processing') then
    return jsonb_build_object('known', true, 'recorded', v_new, 'due', false);
  end if;
  update public.video_jobs j
  set next_poll_at = clock_timestamp(), maybe_bought = true,
    -- Kept should the create's own answer never come; overwritten by it when it does.
    provider_task_id = coalesce(j.provider_task_id, p_task_id)
  where j.id = p_video_job_id and j.status in ('claimed', 'processing');
  return jsonb_build_object('known', true, 'recorded', true, 'due', true);
end;
$$;
comment on function app.record_provider_event(text, uuid, text, jsonb, text, text) is
  'Keeps one event once, and makes its attempt due. p_task_id, p_task_state: the task that it names, where the ids are the provider''s; written beside an outcome that is unknown.';

create function public.record_provider_events(p_provider text, p_events jsonb) returns jsonb
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_event record;
  v_outcome jsonb;
  v_outcomes jsonb[];
  v_due boolean := false;
begin
  perform app.refuse_people();
  -- The videos first and in order, as everywhere. And whoever deletes one now either waits, and deletes these
  -- events, too, or we wait, and find no attempt any more.
  perform app.lock_videos(array(select e.video_job_id from jsonb_to_recordset(p_events) as e (video_job_id uuid)));

  for v_event in
    select e.*
    from rows from (
      jsonb_to_recordset(p_events) as (video_job_id uuid, hash text, payload jsonb, task_id text, task_state text)
    ) with ordinality as e (video_job_id, hash, payload, task_id, task_state, position)
  loop
    v_outcome := app.record_provider_event(
      p_provider, v_event.video_job_id, v_event.hash, v_event.payload, v_event.task_id, v_event.task_state
    );
    v_due := v_due or (v_outcome -> 'due')::boolean;
    v_outcomes[v_event.position] := v_outcome - 'due';
  end loop;

  if v_due then
    perform app.ring('poll');
  end if;
  return jsonb_build_object('events', to_jsonb(v_outcomes));
end;
$$;
comment on function public.record_provider_events(text, jsonb) is
  'Takes in webhooks of a provider, one or many: [{video_job_id, hash, payload, task_id, task_state}]. Keeps each event once, makes its attempt due now and rings the poller, who asks the provider itself. Answers {events: [{known, recorded}]}, in the same order. An unknown or finished attempt changes nothing and is no error.';

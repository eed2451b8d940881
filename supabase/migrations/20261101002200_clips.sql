-- Clips: the videos of a project's scenes, queued all or none, and the map of them that the project keeps.

create function app.clips_of(p_project_id uuid, p_frames jsonb)
returns table (scene text, video_id uuid, status text, storage_path text, input_hash text)
language sql stable set search_path = ''
as $$
  select distinct on (v.scene) v.scene, v.id, v.status, v.storage_path, v.input_hash
  from public.videos v
  where v.project_id = p_project_id and v.scene = any (array(select jsonb_object_keys(p_frames)))
  -- By their ids, which are in the order in which they were charged; created_at is that of their transaction.
  order by v.scene, v.id desc;
$$;
comment on function app.clips_of(uuid, jsonb) is 'The newest clip of each scene of these frames, where there is one.';

create function app.clip_map(p_project_id uuid, p_frames jsonb) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_object_agg(c.video_id, case
    when c.status = 'completed' then c.storage_path
    when c.status in ('failed', 'cancelled') then 'failed'
    else 'pending'
  end), '{}')
  from app.clips_of(p_project_id, p_frames) c;
$$;
comment on function app.clip_map(uuid, jsonb) is 'What projects.clips must hold for these frames.';

create function app.keep_clips_of(p_user_id uuid, p_project_id uuid) returns void
language plpgsql set search_path = ''
as $$
begin
  -- First the turn and then a look, so that two clips that end at once are both in the map. One turn for
  -- all projects of a user: whoever changes clips of two of them cannot meet somebody halfway. A worker
  -- that ends clips of two users rings for the first one's notice before it is the second one's turn, so
  -- two such workers can meet: Postgres ends one, and its transaction is run again.
  perform pg_advisory_xact_lock(hashtext('gemreel.clips.' || p_user_id));
  -- The owner may be changing the scenes: the map is of those that are there afterwards.
  perform 1 from public.projects p where p.id = p_project_id for no key update;
  update public.projects p
  set clips = m.clips, updated_at = clock_timestamp()
  from (
    select q.id, app.clip_map(q.id, q.frames) as clips from public.projects q where q.id = p_project_id
  ) m
  where p.id = m.id and p.clips <> m.clips;
end;
$$;
comment on function app.keep_clips_of(uuid, uuid) is 'Keeps a project''s clips; writes only where something changed.';

create function app.keep_clips() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_clip public.videos;
begin
  if tg_op = 'DELETE' then
    v_clip := old;
  elsif new.status in ('completed', 'failed', 'cancelled') then
    v_clip := new;
  else
    return null;
  end if;
  perform app.keep_clips_of(v_clip.user_id, v_clip.project_id);
  return null;
end;
$$;
comment on function app.keep_clips() is 'Keeps projects.clips where a clip ends or goes. Definer, because whoever changes a video need not be let near projects.';

-- At the end of the transaction, when nothing else is waited for any more. The condition is short, because
-- Postgres reads it anew for each statement that changes a video.
create constraint trigger keep_ended_clips
after update of status on public.videos
deferrable initially deferred
for each row when (new.project_id is not null)
execute function app.keep_clips();

create function app.keep_clips_now() returns void
language plpgsql set search_path = ''
as $$
begin
  set constraints public.keep_ended_clips immediate;
  set constraints public.keep_ended_clips deferred;
end;
$$;
comment on function app.keep_clips_now() is 'Keeps the maps of the clips that this transaction has ended so far. For who ends many and can leave out the one whose project somebody holds: at the end of the transaction it would take all back.';

create constraint trigger keep_remaining_clips
after delete on public.videos
deferrable initially deferred
for each row when (old.project_id is not null)
execute function app.keep_clips();

create function app.touch_project() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.updated_at := clock_timestamp();
  new.clips := app.clip_map(new.id, new.frames);
  return new;
end;
$$;
comment on function app.touch_project() is 'A project that its owner changes shows the clips of the scenes it has now. Definer, because owners have no way into app.';

create trigger touch_project
before update of title, frames on public.projects
for each row execute function app.touch_project();

create function app.check_project_limit(p_user_id uuid, p_more integer) returns void
language plpgsql set search_path = ''
as $$
declare
  v_limit integer := (select s.project_limit from app.settings s);
begin
  if p_more > v_limit then
    -- Waiting would not help.
    raise exception 'At most % scenes can be made at once, and there are %', v_limit, p_more
      using errcode = 'GM012', detail = jsonb_build_object('field', 'frames', 'allowed', jsonb_build_array(jsonb_build_object('min', 1, 'max', v_limit)))::text;
  end if;
  if p_more + (
    select count(*) from public.videos v
    where v.user_id = p_user_id and v.under_way and v.scene is not null
  ) > v_limit then
    raise exception 'At most % clips may be under way at once', v_limit
      using errcode = 'GM004', detail = jsonb_build_object('limit', v_limit)::text;
  end if;
end;
$$;
comment on function app.check_project_limit(uuid, integer) is
  'GM012 where a project has more scenes to make than may ever be under way, GM004 where so many more would be too many for this user now. The caller holds the user''s lock.';

create function public.queue_clips(p_user_id uuid, p_project_id uuid, p_scenes jsonb) returns integer
language plpgsql security definer set search_path = ''
-- As in queue_videos.
set lock_timeout = '2s'
as $$
declare
  v_user public.users;
  v_draft public.videos;
  v_drafts public.videos[] := '{}';
  v_expected integer[] := '{}';
  v_scene record;
  v_price integer := 0;
begin
  perform app.refuse_people();
  select u.* into v_user from public.users u where u.id = p_user_id for no key update;
  if not found or app.is_leaving(p_user_id) then
    raise exception 'No user with id "%"', p_user_id using errcode = 'GM005', detail = '{"field": "user_id"}';
  end if;
  -- Until commit nobody deletes it.
  perform 1 from public.projects p where p.id = p_project_id and p.user_id = p_user_id for key share;
  if not found then
    raise exception 'No project with id "%"', p_project_id using errcode = 'GM005', detail = '{"field": "project_id"}';
  end if;

  for v_scene in
    select s.scene, s.request, s.hash, s.expected_seconds, c.video_id as newest
    from jsonb_to_recordset(p_scenes) as s (scene text, request jsonb, hash text, expected_seconds integer)
    left join lateral app.clips_of(p_project_id, jsonb_build_object(s.scene, null)) c on true
    -- What is there already, or on its way, from the same pictures is not made again.
    where c.video_id is null or c.input_hash <> s.hash or c.status in ('failed', 'cancelled')
    order by char_length(s.scene), s.scene
  loop
    v_draft := app.draft_video(p_user_id, v_scene.request);
    -- The newest of its scene from now on: if the clock was set back, too.
    v_draft.id := app.timed_uuid(7, v_scene.newest);
    v_draft.project_id := p_project_id;
    v_draft.scene := v_scene.scene;
    v_draft.input_hash := v_scene.hash;
    v_drafts := v_drafts || v_draft;
    v_expected := v_expected || v_scene.expected_seconds;
    v_price := v_price + v_draft.gem_cost;
  end loop;
  if cardinality(v_drafts) = 0 then
    return 0;
  end if;

  perform app.check_today(p_user_id, true);
  perform app.check_project_limit(p_user_id, cardinality(v_drafts));
  if v_price > v_user.gem_balance then
    perform app.refuse_debt(v_user.gem_balance, v_price);
  end if;
  for v_index in 1..cardinality(v_drafts) loop
    -- One by one, since each one's place in the fair order follows from the last.
    perform app.add_videos(v_drafts[v_index:v_index], v_expected[v_index:v_index]);
  end loop;
  perform app.keep_clips_of(p_user_id, p_project_id);
  perform app.ring('submit');
  return cardinality(v_drafts);
end;
$$;
comment on function public.queue_clips(uuid, uuid, jsonb) is
  'Charges and queues the clips of a project that are missing, failed or of other pictures, all or none, each with an entry of its own: [{scene, request (see app.draft_video), hash, expected_seconds}]. Returns how many. Repeated while they are made, it queues nothing. Service role only. Errors: GM001 insufficient gems (detail: the price of all), GM004 project limit, GM005 no such user or project, GM010 no price, GM012 more scenes than the project limit (detail.field), GM013 refused or cancelled too often (detail.limit), 55P03 where somebody else holds the user for two seconds.';

create function public.project_state(p_user_id uuid, p_project_id uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select app.refuse_people();
  select jsonb_build_object(
    'title', p.title,
    'frames', p.frames,
    'clips', (
      select coalesce(jsonb_object_agg(c.scene, c.video_id), '{}') from app.clips_of(p.id, p.frames) c
    )
  )
  from public.projects p
  where p.id = p_project_id and p.user_id = p_user_id;
$$;
comment on function public.project_state(uuid, uuid) is 'A project of this user and the newest clip''s id by scene; null where there is no such project. Service role only.';

create function public.update_project(p_project_id uuid, p_title text default null, p_frames jsonb default null) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update public.projects p
  set title = coalesce(p_title, p.title), frames = coalesce(p_frames, p.frames)
  where p.id = p_project_id and p.user_id = (select auth.uid());
  if not found then
    raise exception 'No project with id %', coalesce('"' || p_project_id || '"', 'null')
      using errcode = 'GM005', detail = '{"field": "p_project_id"}';
  end if;
end;
$$;
comment on function public.update_project(uuid, text, jsonb) is
  'Changes the title or the scenes of the caller''s project; what is null stays. GM005 where it is not theirs. Definer, because users may not change projects otherwise.';

create function public.delete_project(p_project_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  for v_try in 1..3 loop
    begin
      -- Before the project, as everywhere: they forget it, and may be ending right now.
      perform 1
      from public.videos v
      where v.project_id = p_project_id and v.user_id = (select auth.uid())
      order by v.id
      for update;
      delete from public.projects p where p.id = p_project_id and p.user_id = (select auth.uid());
      if not found then
        raise exception 'No project with id %', coalesce('"' || p_project_id || '"', 'null')
          using errcode = 'GM005', detail = '{"field": "p_project_id"}';
      end if;
      exit;
    exception when deadlock_detected then
      -- A clip came in between, and ends.
      if v_try = 3 then
        raise;
      end if;
    end;
  end loop;
end;
$$;
comment on function public.delete_project(uuid) is
  'Deletes the caller''s project. Its clips stay in the gallery, and what is being made goes on. GM005 where it is not theirs. Definer, because users may not lock videos.';

revoke all on function public.queue_clips(uuid, uuid, jsonb), public.project_state(uuid, uuid), public.update_project(uuid, text, jsonb),
  public.delete_project(uuid)
  from public, anon, authenticated;
grant execute on function public.queue_clips(uuid, uuid, jsonb), public.project_state(uuid, uuid) to service_role;
grant execute on function public.update_project(uuid, text, jsonb), public.delete_project(uuid) to authenticated;

-- Live updates: the tables that .stream() watches, a broadcast to the owner, and what changed while nobody listened.
-- The broadcast may be lost with the socket that carried it; videos_since leaves nothing out. See docs/adr/0007.

do $$
begin
  if not exists (select from pg_catalog.pg_publication p where p.pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  if not exists (select from pg_catalog.pg_publication p where p.pubname = 'supabase_realtime' and p.puballtables) then
    -- These two and no more: each change of a published table is checked against each subscriber.
    alter publication supabase_realtime add table public.videos, public.video_progress;
  end if;
end;
$$;
-- With the primary key alone a deleted row would be known by its id, and the owner's filter user_id=eq.…
-- would let no deletion through. The whole row would go into the log with every change, too.
alter table public.videos replica identity using index videos_gallery;

create table public.deleted_videos (
  video_id uuid primary key,
  user_id uuid not null references public.users (id) on delete cascade,
  deleted_in xid8 not null default pg_current_xact_id()
);
comment on table public.deleted_videos is 'Which transaction deleted a video, for apps that were away. Kept for a hundred days.';
create index deleted_videos_user_id_idx on public.deleted_videos (user_id);
alter table public.deleted_videos enable row level security;
revoke all on public.deleted_videos from public, anon, authenticated, service_role;
grant select on public.deleted_videos to authenticated, service_role;
create policy "Users see which of their videos were deleted" on public.deleted_videos for select to authenticated
  using (user_id = (select auth.uid()));

create function public.video_state(p_video public.videos) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'id', p_video.id, 'user_id', p_video.user_id, 'rev', p_video.rev, 'kind', p_video.kind, 'title', p_video.title,
    'child_id', p_video.child_id, 'rhyme_id', p_video.rhyme_id, 'project_id', p_video.project_id, 'scene', p_video.scene,
    'provider', p_video.provider, 'model', p_video.model,
    'status', p_video.status, 'stage', p_video.stage, 'progress', p_video.progress,
    'gem_cost', p_video.gem_cost, 'is_premium', p_video.is_premium, 'retry_count', p_video.retry_count,
    'error_code', p_video.error_code, 'error_message', p_video.error_message,
    'storage_path', p_video.storage_path, 'thumbnail_path', p_video.thumbnail_path,
    'duration_seconds', p_video.duration_seconds, 'is_favorite', p_video.is_favorite,
    'created_at', p_video.created_at, 'completed_at', p_video.completed_at,
    'estimated_completion_at', p_video.estimated_completion_at
  );
end;
$$;
comment on function public.video_state(public.videos) is
  'What the owner''s app shows of a video, under the names of the table''s columns, so that one class reads rows, broadcasts and videos_since.';
revoke all on function public.video_state(public.videos) from public, anon, authenticated, service_role;
grant execute on function public.video_state(public.videos) to authenticated;

create function app.tell_owner(p_event text, p_user_id uuid, p_state jsonb) returns boolean
language plpgsql set search_path = ''
as $$
begin
  perform realtime.send(p_state, p_event, 'user:' || p_user_id, true);
  return true;
exception
  -- Realtime is not there.
  when undefined_function or invalid_schema_name then
    return false;
  -- The money is more important than the message: who missed it asks videos_since.
  when others then
    raise warning 'The owner was not told of a change: %', sqlerrm;
    return false;
end;
$$;
comment on function app.tell_owner(text, uuid, jsonb) is
  'Broadcasts the state of a video to its owner''s private topic user:<id> after commit. Never fails; false where it could not, or Realtime is absent.';

create function app.tell_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_told boolean;
begin
  -- Most changes are seen at these three, which spares the other comparison.
  if (new.status, new.stage, new.progress) is not distinct from (old.status, old.stage, old.progress) then
    if public.video_state(new) - 'rev' = public.video_state(old) - 'rev' then
      return null;
    end if;
  end if;
  -- Assigned, since to "perform" a call is to run a query for it.
  v_told := app.tell_owner('video_updated', new.user_id, public.video_state(new));
  return null;
end;
$$;
comment on function app.tell_change() is
  'Broadcasts what changed for the owner of a video; of a new one they are told where it is added. Definer, because users who mark a favourite may not write messages.';

create trigger tell_change
after update on public.videos
for each row execute function app.tell_change();

create function app.note_deletions() returns trigger
language plpgsql security definer set search_path = ''
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
begin
  -- Where the account is gone already nobody is left to tell.
  insert into public.deleted_videos (video_id, user_id)
  select o.id, o.user_id from old_videos o join public.users u on u.id = any (array[o.user_id]);
  perform app.tell_owner(
    'video_deleted', o.user_id, jsonb_build_object('id', o.id, 'user_id', o.user_id, 'rev', o.rev + 1)
  )
  from old_videos o
  join public.users u on u.id = any (array[o.user_id]);
  return null;
end;
$$;
comment on function app.note_deletions() is 'Notes which videos were deleted, and broadcasts it to their owners. Definer, because nobody may write deleted_videos.';

create trigger note_deletions after delete on public.videos
referencing old table as old_videos
for each statement execute function app.note_deletions();

create function app.open_channel() returns boolean
language plpgsql set search_path = ''
as $$
begin
  if to_regclass('realtime.messages') is null then
    return false;
  end if;
  drop policy if exists "Users hear of their own videos" on realtime.messages;
  -- Nobody but the database may send there: there is no policy for insert.
  create policy "Users hear of their own videos" on realtime.messages for select to authenticated
    using (extension = 'broadcast' and (select realtime.topic()) = 'user:' || (select auth.uid()));
  return true;
end;
$$;
comment on function app.open_channel() is
  'Lets users listen to their own private topic. False where Realtime has no table of messages yet: then call it again once it has.';

select app.open_channel();

create function public.videos_since(p_rev text default null) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_snapshot pg_snapshot := pg_current_snapshot();
  v_user_id uuid := (select auth.uid());
  v_life text := '0';
  v_today integer := current_date - date '1970-01-01';
  v_ids uuid[];
  v_reset boolean;
begin
  begin
    -- Differs after a backup was restored, when transaction numbers may begin anew.
    v_life := left(md5(
      (select s.system_identifier from pg_catalog.pg_control_system() s)
      || '/' || (select c.timeline_id from pg_catalog.pg_control_checkpoint() c)
    ), 8);
  exception when insufficient_privilege then
    null;
  end;
  if p_rev ~ '^[0-9a-f]+:[0-9]{1,19}:[0-9]{1,6}$' and split_part(p_rev, ':', 1) = v_life
    and split_part(p_rev, ':', 2)::xid8 <= pg_snapshot_xmax(v_snapshot)
    -- After a hundred days app.clean_up() forgets what was deleted.
    and split_part(p_rev, ':', 3)::integer >= v_today - 90 then
    v_ids := array(
      select v.id from public.videos v
      where v.user_id = v_user_id and v.changed_in >= split_part(p_rev, ':', 2)::xid8
      union all
      select d.video_id from public.deleted_videos d
      where d.user_id = v_user_id and d.deleted_in >= split_part(p_rev, ':', 2)::xid8
      limit 1001
    );
  end if;
  v_reset := v_ids is null or cardinality(v_ids) > 1000;
  if v_reset then
    v_ids := array(
      select v.id from public.videos v where v.user_id = v_user_id order by v.created_at desc, v.id desc limit 100
    );
  end if;
  return jsonb_build_object(
    'reset', v_reset,
    -- Whatever was under way when we looked is at least this; so it is found the next time.
    'rev', v_life || ':' || pg_snapshot_xmin(v_snapshot) || ':' || v_today,
    'videos', (
      select coalesce(jsonb_agg(public.video_state(v) order by v.created_at desc, v.id desc), '[]')
      from public.videos v
      where v.id = any (v_ids) and v.user_id = v_user_id
    ),
    'deleted', (
      select coalesce(jsonb_agg(i.id), '[]')
      from unnest(v_ids) as i (id)
      where not exists (select from public.videos v where v.id = i.id)
    )
  );
end;
$$;
comment on function public.videos_since(text) is
  'What changed of the caller''s videos since the rev of an earlier answer, under row-level security: {reset, rev, videos, deleted}. Never leaves a change out, and may tell one twice: the greater rev of a video wins. Without a rev, or with one too old to go on from, reset is true: forget what you have, these are the newest hundred, list_videos has the rest.';
revoke all on function public.videos_since(text) from public, anon, authenticated, service_role;
grant execute on function public.videos_since(text) to authenticated;

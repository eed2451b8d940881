-- The gallery: listing, searching, favourites, and deletion of one's own videos.

-- Searching. Each word carries its owner's mark, so that a search walks through one user's words only:
-- "spider" is in the title of everyone's videos.
create function app.spaced(p_text text) returns text
language plpgsql immutable set search_path = ''
as $$ begin return regexp_replace(p_text, '[^[:alnum:]]+', ' ', 'g'); end; $$;
comment on function app.spaced(text) is 'The words of a text alone: of "Cat/Dog" and "5-7" Postgres would make a path and a negative number.';
grant execute on function app.spaced(text) to service_role;

create function app.search_words(p_user_id uuid, p_text text) returns tsvector
language plpgsql immutable set search_path = ''
as $$
begin
  return (
    select array_to_tsvector(coalesce(array_agg(distinct left(p_user_id::text, 8) || ':' || left(w.word, 100)), '{}'))
    from unnest(tsvector_to_array(to_tsvector('pg_catalog.simple'::regconfig, app.spaced(p_text)))) as w (word)
  );
end;
$$;
comment on function app.search_words(uuid, text) is 'The words of a text in lower case, marked as this user''s.';
grant execute on function app.search_words(uuid, text) to service_role;

-- What is under way is a handful, which a search reads one by one: so a video is indexed once, at its end.
create index videos_search on public.videos using gin (app.search_words(user_id, title || ' ' || coalesce(prompt, '')))
where not under_way;
create index videos_favourites on public.videos (user_id, created_at desc, id desc) where is_favorite;

create function app.search_query(p_user_id uuid, p_text text) returns tsquery
language sql immutable set search_path = ''
as $$
  select string_agg(
    '''' || left(p_user_id::text, 8) || ':' || replace(replace(left(w.word, 100), '\', '\\'), '''', '''''') || ''':*', ' & '
  )::tsquery
  from unnest(tsvector_to_array(to_tsvector('pg_catalog.simple'::regconfig, app.spaced(p_text)))) as w (word);
$$;
comment on function app.search_query(uuid, text) is 'Finds what holds each of these words, or longer ones that begin like them, among this user''s. Null where the text has no words.';

create function public.search_videos(p_search text) returns setof uuid
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan
as $$
declare
  v_user_id uuid := (select auth.uid());
  v_query tsquery := app.search_query(v_user_id, left(p_search, 200));
begin
  return query
  select v.id
  from public.videos v
  where v.user_id = v_user_id and not v.under_way
    and app.search_words(v.user_id, v.title || ' ' || coalesce(v.prompt, '')) @@ v_query
  union all
  select v.id
  from public.videos v
  where v.user_id = v_user_id and v.under_way
    and app.search_words(v.user_id, v.title || ' ' || coalesce(v.prompt, '')) @@ v_query;
end;
$$;
comment on function public.search_videos(text) is
  'Ids of the caller''s videos whose title or prompt holds each word, or one that begins like it. Definer, because under row-level security Postgres uses an index only with operators that are marked as leakproof, and @@ is not.';

create function public.list_videos(
  p_status text[] default null,
  p_kind text default null,
  p_provider text default null,
  p_favorite boolean default null,
  p_child_id uuid default null,
  p_search text default null,
  p_cursor text default null,
  p_limit integer default 20
) returns table (
  video_id uuid,
  kind text,
  title text,
  prompt text,
  child_id uuid,
  provider text,
  model text,
  status text,
  stage text,
  progress smallint,
  is_favorite boolean,
  gem_cost integer,
  storage_path text,
  thumbnail_path text,
  duration_seconds numeric,
  error_code text,
  error_message text,
  created_at timestamptz,
  completed_at timestamptz,
  rev bigint,
  cursor text
)
-- Planned anew each time, with the filters at hand: a plan for all of them serves none.
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
as $$
declare
  v_statuses constant text[] := '{queued,processing,rendering,completed,failed,cancelled}';
  v_kinds constant text[] := '{rhyme,prompt,image,clip}';
  v_unknown text;
  v_found uuid[];
  v_before timestamptz := 'infinity';
  v_before_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_end text[];
begin
  if p_limit is null or p_limit not between 1 and 100 then
    raise exception 'A page has 1 to 100 videos, not %', coalesce(p_limit::text, 'null')
      using errcode = 'GM008', detail = '{"field": "p_limit", "allowed": [{"min": 1, "max": 100}]}';
  end if;
  select coalesce('"' || s.status || '"', 'null') into v_unknown
  from unnest(p_status) as s (status)
  where s.status is null or s.status <> all (v_statuses)
  limit 1;
  if found then
    raise exception 'No video has the status %', v_unknown
      using errcode = 'GM008', detail = jsonb_build_object('field', 'p_status', 'allowed', v_statuses)::text;
  end if;
  if p_kind <> all (v_kinds) then
    raise exception 'No video is of the kind "%"', p_kind
      using errcode = 'GM008', detail = jsonb_build_object('field', 'p_kind', 'allowed', v_kinds)::text;
  end if;
  if p_cursor is not null then
    begin
      v_end := string_to_array(convert_from(decode(p_cursor, 'base64'), 'UTF8'), '|');
      v_before := v_end[1];
      v_before_id := v_end[2];
    exception when others then
      v_before := null;
    end;
    if v_before is null or v_before_id is null then
      raise exception 'The cursor is not one that a page ended with' using errcode = 'GM008', detail = '{"field": "p_cursor"}';
    end if;
  end if;
  if btrim(p_search) <> '' then
    v_found := array(select public.search_videos(p_search));
  end if;

  return query
  select
    v.id, v.kind, v.title, v.prompt, v.child_id, v.provider, v.model, v.status, v.stage, v.progress, v.is_favorite,
    v.gem_cost, v.storage_path, v.thumbnail_path, v.duration_seconds, v.error_code, v.error_message,
    v.created_at, v.completed_at, v.rev,
    translate(encode(convert_to(
      to_char(v.created_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US') || '+00|' || v.id, 'UTF8'
    ), 'base64'), E'\n', '')
  from public.videos v
  where v.user_id = (select auth.uid())
    and (v.created_at, v.id) < (v_before, v_before_id)
    and (p_status is null or v.status = any (p_status))
    and (p_kind is null or v.kind = p_kind)
    and (p_provider is null or v.provider = p_provider)
    and (p_favorite is null or v.is_favorite = p_favorite)
    and (p_child_id is null or v.child_id = p_child_id)
    and (v_found is null or v.id = any (v_found))
  order by v.created_at desc, v.id desc
  limit p_limit;
end;
$$;
comment on function public.list_videos(text[], text, text, boolean, uuid, text, text, integer) is
  'A page of the caller''s videos, newest first, under row-level security. Each row ends with the cursor that the next page begins after. p_search finds what holds each of its words, or longer ones that begin like them, in title or prompt. Links are made from storage_path and thumbnail_path by Storage. GM008 for a wrong status, kind, cursor or limit.';

create function public.set_favorite(p_video_id uuid, p_favorite boolean) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  v_user_id uuid := (select auth.uid());
begin
  if p_favorite is null then
    raise exception 'A video is a favourite or not' using errcode = 'GM008', detail = '{"field": "p_favorite", "allowed": [true, false]}';
  end if;
  update public.videos v set is_favorite = p_favorite
  where v.id = p_video_id and v.user_id = v_user_id and v.is_favorite <> p_favorite;
  if not found and not exists (select 1 from public.videos v where v.id = p_video_id and v.user_id = v_user_id) then
    raise exception 'No video with id %', coalesce('"' || p_video_id || '"', 'null')
      using errcode = 'GM005', detail = '{"field": "p_video_id"}';
  end if;
end;
$$;
comment on function public.set_favorite(uuid, boolean) is 'Marks one of the caller''s videos as a favourite or no more. GM005 where it is not theirs, GM008 without an answer. Definer, because users may not change videos.';

create function app.remove_videos(p_video_ids uuid[]) returns void
language plpgsql set search_path = ''
as $$
declare
  v_job_ids uuid[] := array(select j.id from public.video_jobs j where j.video_id = any (p_video_ids));
begin
  perform app.note_doubts(p_video_ids);
  -- What is looked up at the provider and what is summed up stays, the words do not.
  update public.unknown_outcomes u set provider_error = null where u.video_id = any (p_video_ids);
  update public.gem_entries e set reason = 'Deleted video' where e.video_id = any (p_video_ids);
  -- Only what was delivered once can have files. A worker may be copying right now, with ten minutes to do so.
  perform app.delete_objects(
    v.user_id, 'videos', app.files_of(v),
    case when v.completed_at < now() - interval '10 minutes' then now() else now() + interval '10 minutes' end
  )
  from public.videos v
  where v.id = any (p_video_ids)
    and 'completed' in (select j.status from public.video_jobs j where j.video_id = v.id)
  order by v.id;
  delete from public.videos v where v.id = any (p_video_ids);
  -- Last, since an event that came in meanwhile holds its video until it is written down.
  delete from public.provider_events e where e.video_job_id = any (v_job_ids);
end;
$$;
comment on function app.remove_videos(uuid[]) is
  'Deletes videos in whatever state, with attempts, progress, notices and events, and has their files deleted. The caller has locked them and cancelled what was under way. The ledger keeps its entries, without the title.';

create function app.stop_and_remove(p_video_ids uuid[]) returns void
language plpgsql set search_path = '' set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_video public.videos;
begin
  -- All of them before the first refund: videos are locked before users, everywhere.
  for v_try in 1..3 loop
    begin
      perform 1 from public.videos v where v.id = any (p_video_ids) order by v.id for update;
      exit;
    exception when deadlock_detected then
      -- Workers wait for a moment out of order (see app.lock_free_videos), and an app would not try again. Our
      -- locks are let go: whoever waits for them is to have them first.
      if v_try = 3 then
        raise;
      end if;
      perform pg_sleep(0.1);
    end;
  end loop;
  for v_video in
    select v.* from public.videos v where v.id = any (p_video_ids) and v.status in ('queued', 'processing') order by v.id
  loop
    perform app.stop_video(v_video);
  end loop;
  perform app.remove_videos(p_video_ids);
end;
$$;
comment on function app.stop_and_remove(uuid[]) is 'Cancels what of these videos is under way, by the rule of cancel_video, and deletes all of them.';

create function public.delete_videos(p_video_ids uuid[]) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_user_id uuid := (select auth.uid());
  v_ids uuid[];
begin
  if p_video_ids is null or cardinality(p_video_ids) not between 1 and 100 then
    raise exception 'Name 1 to 100 videos' using errcode = 'GM008', detail = '{"field": "p_video_ids"}';
  end if;
  select coalesce(array_agg(v.id), '{}') into v_ids
  from public.videos v
  where v.id = any (p_video_ids) and v.user_id = v_user_id;
  perform app.stop_and_remove(v_ids);
  return jsonb_build_object(
    'deleted', to_jsonb(v_ids),
    'gem_balance', (select u.gem_balance from public.users u where u.id = v_user_id)
  );
end;
$$;
comment on function public.delete_videos(uuid[]) is
  'Deletes the caller''s videos, with their files soon after. What is under way is cancelled first, with the refund of cancel_video. Ids that are not theirs, or gone already, are left out of the answer. Definer, because users may not write videos.';

grant execute on function public.search_videos(text) to authenticated;
grant execute on function public.list_videos(text[], text, text, boolean, uuid, text, text, integer) to authenticated;
grant execute on function public.set_favorite(uuid, boolean) to authenticated;
grant execute on function public.delete_videos(uuid[]) to authenticated;

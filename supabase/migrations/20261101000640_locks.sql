-- The locks of videos, which everybody who changes many of them at once takes in one order.

-- "any (array[…])" instead of "=": what is looked up by its id can then be found in no other way, whatever the
-- statistics say (docs/adr/0010-by-their-ids.md). Both are planned under the settings of their callers.

create function app.lock_videos(p_job_ids uuid[]) returns uuid[]
language plpgsql set search_path = ''
as $$
begin
  return array(
    with wanted as materialized (
      select j.video_id from unnest(p_job_ids) as o (id) join public.video_jobs j on j.id = any (array[o.id])
    )
    select v.id
    from (select w.video_id from wanted w order by w.video_id) w
    join public.videos v on v.id = any (array[w.video_id])
    for no key update of v
  );
end;
$$;
comment on function app.lock_videos(uuid[]) is
  'Locks the videos of these attempts, in the order of their ids, which everyone keeps to; a video before its attempts. Returns their ids.';

create function app.lock_free_videos(p_job_ids uuid[]) returns uuid[]
language plpgsql set search_path = '' set lock_timeout = '500ms'
as $$
declare
  v_wanted uuid[] := array(
    select j.video_id from unnest(p_job_ids) as o (id) join public.video_jobs j on j.id = any (array[o.id])
  );
  v_free uuid[] := array(
    select v.id
    from (select w.id from unnest(v_wanted) as w (id) order by w.id) w
    join public.videos v on v.id = any (array[w.id])
    for no key update of v skip locked
  );
begin
  if v_free @> v_wanted then
    return v_free;
  end if;
  -- Whoever holds one lets it go at once, nearly always, and its turn would not come again so soon. But it is
  -- waited for out of order: shorter than Postgres takes to see two that wait for each other.
  begin
    return v_free || array(
      select v.id
      from (select w.id from unnest(v_wanted) as w (id) where w.id <> all (v_free) order by w.id) w
      join public.videos v on v.id = any (array[w.id])
      for no key update of v
    );
  exception when lock_not_available then
    return v_free;
  end;
end;
$$;
comment on function app.lock_free_videos(uuid[]) is 'As app.lock_videos, but those that somebody else holds for longer than a moment are left out.';

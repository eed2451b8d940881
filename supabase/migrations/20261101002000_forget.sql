-- Forgetting a child, an account, and what has been kept long enough. Rows go at once, in the
-- transaction of the request; files, sign-in and messages follow (see the deletion migration).

create function app.forget_child_files() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform app.stop_and_remove(array(select v.id from public.videos v where v.child_id = old.id));
  -- A picture may still come: who may upload is asked when a link for it is made, and that lives two hours.
  -- Source: supabase.com/docs/reference/javascript/storage-from-createsigneduploadurl.
  perform app.delete_objects(
    old.user_id, 'avatars', old.user_id || '/' || old.id || '.', now() + interval '130 minutes'
  );
  return old;
end;
$$;
comment on function app.forget_child_files() is 'Whoever deletes a child, its videos and pictures go with it. Definer, because no role may delete videos.';

create trigger forget_child_files
before delete on public.children
for each row execute function app.forget_child_files();

create function public.forget_child(p_child_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  v_child public.children := app.own_child(p_child_id);
begin
  for v_try in 1..2 loop
    begin
      -- Before the child is locked: videos are locked before everything else, everywhere.
      perform app.stop_and_remove(array(select v.id from public.videos v where v.child_id = v_child.id));
      delete from public.children c where c.id = v_child.id;
      exit;
    exception when deadlock_detected then
      -- A video came in between, which takes its user before the child as its refund takes them the other way.
      if v_try = 2 then
        raise;
      end if;
    end;
  end loop;
end;
$$;
comment on function public.forget_child(uuid) is
  'Deletes the caller''s child: its videos (what is under way is cancelled first, with the refund of cancel_video), pictures, consents. Files are gone soon after. GM005 no such child. Definer, because users may not delete videos.';
grant execute on function public.forget_child(uuid) to authenticated;

create function app.forget_user_files() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform app.remove_videos(array(select v.id from public.videos v where v.user_id = old.id));
  perform app.delete_objects(old.id, b.id, old.id || '/', now() + interval '130 minutes') from storage.buckets b;
  update public.gem_entries e
  set user_id = null, reason = 'Account deleted', idempotency_key = null
  where e.user_id = old.id;
  insert into app.erasures (user_id) values (old.id) on conflict (user_id) do nothing;
  return old;
end;
$$;
comment on function app.forget_user_files() is 'Whoever deletes a user, in the dashboard too: files are listed for deletion, the ledger forgets who, and the erasure is on record until it is complete. Definer, because Supabase Auth may not write here.';

create trigger forget_user_files
before delete on public.users
for each row execute function app.forget_user_files();

create function app.is_leaving(p_user_id uuid) returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return (select exists (select 1 from app.erasures e where e.user_id = p_user_id));
end;
$$;
comment on function app.is_leaving(uuid) is 'Whether this account is being forgotten: it buys nothing more.';

create function app.forget_rows(p_user_id uuid) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_ids uuid[];
begin
  -- Of two at once, each would hold videos that the other wants: they take turns.
  perform pg_advisory_xact_lock(hashtext('gemreel.forget.' || p_user_id));
  v_ids := array(
    -- What costs money ends first. A thousand take about a second, of the eight that PostgREST gives a call.
    select v.id from public.videos v where v.user_id = p_user_id order by v.under_way desc, v.id limit 1000
  );
  perform app.stop_and_remove(v_ids);
  if cardinality(v_ids) = 1000 then
    insert into app.erasures (user_id) values (p_user_id) on conflict (user_id) do nothing;
    return false;
  end if;
  delete from public.users u where u.id = p_user_id;
  return true;
end;
$$;
comment on function app.forget_rows(uuid) is
  'Deletes up to a thousand of a user''s videos, and once there are fewer the user with everything else. False while there may be more: the account is being forgotten then, and maintain goes on.';

create function public.forget_user(p_user_id uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  perform app.refuse_people();
  for v_try in 1..4 loop
    begin
      perform app.forget_rows(p_user_id);
      exit;
    exception when deadlock_detected then
      -- Its owner adds a child meanwhile, or agrees to a text, and takes the locks the other way round.
      if v_try = 4 then
        raise;
      end if;
      -- Whoever waited for the user comes first now: begun anew at once, we would be there before them.
      perform pg_sleep(0.2 * v_try);
    end;
  end loop;
  perform app.ring('maintain');
  return jsonb_build_object('erasure_id', (select e.id from app.erasures e where e.user_id = p_user_id));
end;
$$;
comment on function public.forget_user(uuid) is
  'Deletes all rows of a user and writes down what else is to go: files, sign-in, messages. What is under way is cancelled first. Of more than a thousand videos the rest goes soon after; nothing can be bought meanwhile. A repeated call answers the same; erasure_id is null once all is gone. Service role only.';
grant execute on function public.forget_user(uuid) to service_role;

create function app.open_erasures(p_limit integer) returns table (id uuid, user_id uuid)
language sql stable set search_path = ''
as $$
  select e.id, e.user_id
  from app.erasures e
  where e.finished_at is null
  order by e.tried_at nulls first, e.requested_at
  limit p_limit;
$$;
comment on function app.open_erasures(integer) is 'Erasures that are not complete: first those that were tried longest ago.';

create function app.begin_erasure(p_id uuid) returns void
language sql set search_path = ''
as $$
  update app.erasures e set tried_at = clock_timestamp() where e.id = p_id;
$$;
comment on function app.begin_erasure(uuid) is 'Somebody begins with it now: whatever comes of it, the others are next.';

create function app.forget_messages(p_id uuid) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_erasure app.erasures;
  v_until timestamptz;
begin
  select e.* into v_erasure from app.erasures e where e.id = p_id for update;
  v_until := v_erasure.messages_from + interval '1 day';
  if v_until is null then
    return true;
  end if;
  if to_regclass('realtime.messages') is null or v_erasure.requested_at < now() - interval '4 days' then
    v_until := null;
  else
    -- Realtime drops messages after three days and lets nobody else delete them, but change them. Its index
    -- leads with the time, and it keeps a table for each day, hence a day at once, with a day to spare for what its clock is set to.
    execute $q$
      update realtime.messages m
      set topic = 'forgotten', payload = null
      where m.topic = $1 and m.extension = 'broadcast' and m.private is true
        and m.inserted_at >= $2::timestamp and m.inserted_at < $3::timestamp
    $q$ using 'user:' || v_erasure.user_id, v_erasure.messages_from, v_until;
    if v_until > now() + interval '1 day' then
      v_until := null;
    end if;
  end if;
  update app.erasures e set messages_from = v_until where e.id = p_id;
  return v_until is null;
end;
$$;
comment on function app.forget_messages(uuid) is
  'Takes the name off what Realtime keeps of a day of the user''s messages, once nobody writes any more. True when all are done. What it may not change is gone by itself after four days, and only then done.';

create function app.finish_erasure(p_id uuid) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_user_id uuid := (select e.user_id from app.erasures e where e.id = p_id and e.finished_at is null for update);
begin
  if v_user_id is null
    or exists (select 1 from public.users u where u.id = v_user_id)
    or exists (select 1 from auth.users a where a.id = v_user_id)
    or exists (select 1 from app.erasures e where e.id = p_id and e.messages_from is not null)
    or exists (select 1 from app.objects_to_delete d where d.user_id = v_user_id) then
    return false;
  end if;
  if to_regclass('auth.audit_log_entries') is not null then
    begin
      -- Auth notes there, with id and address, whom it deleted: after the last thing that it has to note.
      execute 'delete from auth.audit_log_entries l where strpos(l.payload::text, $1) > 0' using v_user_id::text;
    exception when insufficient_privilege then
      raise warning 'Auth''s audit log keeps what it says of erasure %: %', p_id, sqlerrm;
    end;
  end if;
  update app.erasures e set user_id = null, finished_at = clock_timestamp() where e.id = p_id;
  return true;
end;
$$;
comment on function app.finish_erasure(uuid) is 'Closes an erasure, with what Auth''s audit log says of the user, and forgets whose it was, if rows, sign-in, messages and every file are gone. False otherwise.';

create view app.erasure_status with (security_invoker = true) as
select
  e.id,
  e.requested_at,
  e.finished_at,
  exists (select 1 from public.users u where u.id = e.user_id) as rows_left,
  exists (select 1 from auth.users a where a.id = e.user_id) as sign_in_left,
  e.user_id is not null and e.messages_from is not null as messages_left,
  (select count(*) from app.objects_to_delete d where d.user_id = e.user_id) as deletions_left
from app.erasures e;
comment on view app.erasure_status is 'How far each erasure of an account has come. Complete where finished_at is set; app.remains_of() looks for itself.';
revoke all on app.erasure_status from public;

create function app.remains_of(p_user_id uuid) returns table (place text, matches bigint)
language plpgsql stable set search_path = ''
as $$
declare
  v_readable boolean;
begin
  for place, v_readable in
    select format('%I.%I', n.nspname, c.relname),
      has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') and not row_security_active(c.oid)
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    order by 1
  loop
    matches := null;
    if v_readable then
      execute format('select count(*) from %s t where strpos(t::text, $1) > 0', place)
      into matches using p_user_id::text;
    end if;
    if matches > 0 or not v_readable then
      return next;
    end if;
  end loop;
end;
$$;
comment on function app.remains_of(uuid) is
  'Every table of every schema, but Postgres'' own, with rows that hold this user''s id in any column, and how many; null for one that the caller may not read (as a superuser none). Empty once an erasure is complete. Reads everything: for the operator, not for workers.';

create function app.forget_old_videos(p_limit integer) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_days integer := (select s.video_retention_days from app.settings s);
  v_ids uuid[];
begin
  if v_days is null then
    return 0;
  end if;
  select array_agg(o.id) into v_ids
  from (
    select v.id
    from public.videos v
    where v.created_at < now() - v_days * interval '1 day'
      and v.status in ('completed', 'failed', 'cancelled')
    limit p_limit
    for update of v skip locked
  ) o;
  perform app.remove_videos(v_ids);
  return coalesce(cardinality(v_ids), 0);
end;
$$;
comment on function app.forget_old_videos(integer) is 'Deletes videos that are over and older than video_retention_days, with their files. Returns how many. None where the setting is null.';

-- Deletion: what a transaction cannot do itself (remove files, close the sign-in) is written down in
-- it, and maintain does it afterwards, as often as it takes.

create table app.objects_to_delete (
  bucket_id text not null,
  prefix text not null check (prefix ~ '^[0-9a-f-]{36}/.*[./]$' or prefix ~ '^[0-9a-f-]{36}/$'),
  user_id uuid not null,
  written_until timestamptz not null,
  try_at timestamptz not null default now(),
  tries integer not null default 0,
  primary key (bucket_id, prefix)
);
comment on table app.objects_to_delete is 'Outbox: all objects of a bucket whose name begins like this are to go. The row stays until none is left. Storage''s own rows cannot be deleted in SQL: the files would stay.';
comment on column app.objects_to_delete.prefix is 'A path in the owner''s folder, ending in "." (all kinds of one file) or "/" (a folder).';
comment on column app.objects_to_delete.written_until is 'Until then a worker or the app may still be writing such an object, so that none being there is not the end.';
create index objects_to_delete_due on app.objects_to_delete (try_at);
create index objects_to_delete_user_id_idx on app.objects_to_delete (user_id);

create table app.erasures (
  id uuid primary key default gen_random_uuid(),
  user_id uuid unique,
  requested_at timestamptz not null default now(),
  tried_at timestamptz,
  messages_from timestamptz default now() - interval '4 days',
  finished_at timestamptz,
  constraint erasures_finished check ((user_id is null) = (finished_at is not null))
);
comment on table app.erasures is 'Accounts that are being forgotten: their rows with the request (of very many videos, soon after), then files, sign-in and messages. user_id stays until then and is forgotten last.';
comment on column app.erasures.tried_at is 'When maintain last began with it. Who waits longest is next.';
comment on column app.erasures.messages_from is 'What Realtime keeps of the user''s messages is forgotten up to here: at first before the oldest that it may keep. Null once all are.';
create index erasures_open on app.erasures (tried_at nulls first, requested_at) where finished_at is null;

create function app.delete_objects(
  p_user_id uuid,
  p_bucket_id text,
  p_prefix text,
  p_written_until timestamptz default now()
) returns void
language sql set search_path = ''
as $$
  insert into app.objects_to_delete as d (bucket_id, prefix, user_id, written_until)
  values (p_bucket_id, p_prefix, p_user_id, p_written_until)
  on conflict (bucket_id, prefix) do update
  set written_until = greatest(d.written_until, excluded.written_until), try_at = now();
$$;
comment on function app.delete_objects(uuid, text, text, timestamptz) is 'Has the objects deleted whose names begin like this.';

create function app.objects_below(p_bucket_id text, p_prefix text, p_limit integer) returns text[]
language sql stable set search_path = ''
as $$
  -- A range instead of LIKE: it walks Storage's own index (bucket_id, name collate "C") for any prefix.
  select coalesce(array_agg(o.name), '{}')
  from (
    select o.name
    from storage.objects o
    where o.bucket_id = p_bucket_id
      and o.name collate "C" >= p_prefix
      and o.name collate "C" < left(p_prefix, -1) || chr(ascii(right(p_prefix, 1)) + 1)
    limit p_limit
  ) o;
$$;
comment on function app.objects_below(text, text, integer) is 'Names of the objects that begin like this.';

create function app.due_deletions(p_limit integer, p_names integer)
returns table (bucket_id text, prefix text, names text[])
language sql set search_path = ''
as $$
  with due as (
    select d.bucket_id, d.prefix
    from app.objects_to_delete d
    where d.try_at <= clock_timestamp()
    order by d.try_at
    limit p_limit
    for update skip locked
  ), leased as (
    update app.objects_to_delete d
    set tries = d.tries + 1,
      try_at = clock_timestamp() + least(60 * 2 ^ least(d.tries, 6), 3600) * interval '1 second'
    from due
    where d.bucket_id = due.bucket_id and d.prefix = due.prefix
    returning d.bucket_id, d.prefix
  )
  select l.bucket_id, l.prefix, app.objects_below(l.bucket_id, l.prefix, p_names) from leased l;
$$;
comment on function app.due_deletions(integer, integer) is
  'Leases deletions that are due, with up to p_names names each of what is there to delete. Whoever takes them and dies loses nothing: they are due again, later each time.';

create function app.finish_deletions(p_done jsonb) returns void
language plpgsql set search_path = ''
as $$
begin
  -- Storage's word is not enough: done is what is not there any more. What may still be written is looked
  -- at once more, afterwards; of what was too much for one call, the rest is due now.
  delete from app.objects_to_delete d
  using jsonb_to_recordset(p_done) as g (bucket_id text, prefix text)
  where d.bucket_id = g.bucket_id and d.prefix = g.prefix
    and d.written_until <= clock_timestamp()
    and app.objects_below(d.bucket_id, d.prefix, 1) = '{}';
  update app.objects_to_delete d
  set try_at = case
    when app.objects_below(d.bucket_id, d.prefix, 1) = '{}' then d.written_until
    when g.more then clock_timestamp()
    else d.try_at
  end
  from jsonb_to_recordset(p_done) as g (bucket_id text, prefix text, more boolean)
  where d.bucket_id = g.bucket_id and d.prefix = g.prefix;
end;
$$;
comment on function app.finish_deletions(jsonb) is
  'Storage said that it deleted what due_deletions told for these: [{bucket_id, prefix, more}], more where there was more than was told. Believed only where nothing is there any more.';

-- Stand-in for the SQL side of Supabase Realtime: the names, arguments and rights that migrations and
-- policies use. local/realtime serves the sockets. Reference: https://github.com/supabase/realtime

create schema if not exists realtime;
comment on schema realtime is 'Stand-in for Supabase Realtime (local stack only)';
grant usage on schema realtime to anon, authenticated, service_role;

-- Hosted Realtime keeps it in daily partitions and drops them after three days; the stand-in deletes rows.
create table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  primary key (id, inserted_at)
);
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

create or replace function realtime.topic() returns text
language sql stable
set search_path = ''
as $$
  select nullif(pg_catalog.current_setting('realtime.topic', true), '')
$$;

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid := pg_catalog.gen_random_uuid();
begin
  perform pg_catalog.set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (
    v_id, case when payload ? 'id' then payload else payload || pg_catalog.jsonb_build_object('id', v_id) end,
    event, topic, private, 'broadcast'
  );
exception when others then
  raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

-- From here on it is ours. Hosted Realtime reads the write-ahead log; these triggers write what
-- somebody listens to into a queue that the server empties, in order of their transactions' writing.
create unlogged table if not exists realtime._listeners (
  node text not null,
  entity regclass not null,
  primary key (node, entity)
);
comment on table realtime._listeners is 'Tables that a server wants to hear of. Without a row here the triggers write nothing.';

create unlogged table if not exists realtime._changes (
  id bigint generated always as identity primary key,
  node text not null,
  entity regclass not null,
  type text not null,
  record jsonb,
  identity jsonb,
  happened_at timestamptz not null default clock_timestamp()
);

-- The part of an old row that the write-ahead log holds: by default the primary key, else what REPLICA IDENTITY says.
create or replace function realtime._identity(entity regclass, old_record jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
  select case c.relreplident
    when 'f' then old_record
    when 'n' then '{}'
    else (
      select coalesce(pg_catalog.jsonb_object_agg(a.attname, old_record -> a.attname::text), '{}')
      from pg_catalog.pg_index i
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = entity and case c.relreplident when 'i' then i.indisreplident else i.indisprimary end
    )
  end
  from pg_catalog.pg_class c
  where c.oid = entity
$$;

create or replace function realtime._capture() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if not exists (select from realtime._listeners l where l.entity = tg_relid) then
    return null;
  end if;
  insert into realtime._changes (node, entity, type, record, identity)
  select l.node, tg_relid, tg_op,
    case when tg_op <> 'DELETE' then pg_catalog.to_jsonb(new) end,
    case when tg_op <> 'INSERT' then realtime._identity(tg_relid, pg_catalog.to_jsonb(old)) end
  from realtime._listeners l
  where l.entity = tg_relid;
  -- Heard on commit, and never after a rollback.
  perform pg_catalog.pg_notify('realtime_standin', '');
  return null;
end
$$;

create or replace function realtime._published(entity regclass) returns boolean
language sql stable
set search_path = ''
as $$
  select entity = 'realtime.messages'::regclass or exists (
    select from pg_catalog.pg_publication_tables t
    where t.pubname = 'supabase_realtime'
      and pg_catalog.format('%I.%I', t.schemaname, t.tablename)::regclass = entity
  )
$$;

-- Makes sure that changes of a table reach this node from now on. False when the table is not published.
create or replace function realtime._listen(node text, entity regclass) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if not realtime._published(entity) then
    return false;
  end if;
  if not exists (select from pg_catalog.pg_trigger t where t.tgrelid = entity and t.tgname = 'zzz_realtime') then
    execute pg_catalog.format(
      'create trigger zzz_realtime after insert or update or delete on %s for each row execute function realtime._capture()',
      entity
    );
  end if;
  insert into realtime._listeners (node, entity) values (node, entity) on conflict do nothing;
  return true;
end
$$;

-- Who wrote to a table before we listened, and has not committed yet: their changes were not captured.
create or replace function realtime._writers(entity regclass) returns setof text
language sql volatile
set search_path = ''
as $$
  select l.virtualtransaction
  from pg_catalog.pg_locks l
  where l.locktype = 'relation' and l.relation = entity and l.mode = 'RowExclusiveLock'
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
    and l.pid <> pg_catalog.pg_backend_pid()
$$;

create or replace function realtime._matches(entity regclass, record jsonb, filter jsonb) returns boolean
language plpgsql stable
set search_path = ''
as $$
declare
  v_type text := (
    select pg_catalog.format_type(a.atttypid, null) from pg_catalog.pg_attribute a
    where a.attrelid = entity and a.attname = filter ->> 'column' and not a.attisdropped
  );
  v_operator text := filter ->> 'operator';
  v_sql text;
  v_result boolean;
begin
  -- What the log does not tell cannot be compared, and is not shown.
  if not record ? (filter ->> 'column') then
    return false;
  end if;
  v_sql := case v_operator
    when 'is' then pg_catalog.format('$1::%s is %s', v_type, filter ->> 'value')
    when 'isdistinct' then pg_catalog.format('$1::%1$s is distinct from $2::%1$s', v_type)
    when 'in' then pg_catalog.format('$1::%1$s = any ($2::%1$s[])', v_type)
    else pg_catalog.format('$1::%1$s %2$s $2::%1$s', v_type, case v_operator
      when 'eq' then '=' when 'neq' then '<>' when 'lt' then '<' when 'lte' then '<=' when 'gt' then '>' when 'gte' then '>='
      when 'like' then 'like' when 'ilike' then 'ilike' when 'match' then '~' when 'imatch' then '~*'
    end)
  end;
  execute 'select ' || v_sql into v_result using record ->> (filter ->> 'column'), filter ->> 'value';
  return coalesce(v_result <> coalesce((filter ->> 'negate')::boolean, false), false);
end
$$;

revoke all on all tables in schema realtime from public;
revoke all on realtime._listeners, realtime._changes from anon, authenticated, service_role;
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'realtime'::regnamespace and p.proname like '\_%'
  loop
    execute pg_catalog.format('revoke all on function %s from public', v_function);
  end loop;
end
$$;

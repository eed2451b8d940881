-- Stand-in for the extension pg_net: the same names, arguments and tables. The requests are sent by
-- local/net_standin.ts, which hears of them when the transaction that made them commits.
-- Reference: https://github.com/supabase/pg_net

create schema if not exists net;
comment on schema net is 'Stand-in for pg_net (local stack only)';

create unlogged table if not exists net.http_request_queue (
  id bigint generated always as identity primary key,
  method text not null check (method in ('GET', 'POST', 'DELETE')),
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create unlogged table if not exists net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index if not exists _http_response_created_idx on net._http_response (created);

-- application/x-www-form-urlencoded but for %20: what pg_net gets from libcurl.
create or replace function net._urlencode_string(string text) returns text
language sql immutable strict
set search_path = ''
as $$
  select coalesce(pg_catalog.string_agg(
    case
      when c.byte between 48 and 57 or c.byte between 65 and 90 or c.byte between 97 and 122
        or c.byte in (45, 46, 95, 126) then pg_catalog.chr(c.byte)
      else '%' || pg_catalog.upper(pg_catalog.lpad(pg_catalog.to_hex(c.byte), 2, '0'))
    end, '' order by c.at), '')
  from (
    select i as at, pg_catalog.get_byte(pg_catalog.convert_to(string, 'UTF8'), i) as byte
    from pg_catalog.generate_series(0, pg_catalog.octet_length(string) - 1) as i
  ) as c
$$;

-- Like libcurl, which pg_net asks in the transaction of the call, it raises on what is no address.
create or replace function net._with_params(url text, params jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  if url !~ '^[Hh][Tt][Tt][Pp][Ss]?://([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][^[:space:][:cntrl:]]*)?$' then
    raise exception 'invalid URL "%": Malformed input to a URL function', url using errcode = 'XX000';
  end if;
  return url || coalesce((
    select case when pg_catalog.strpos(url, '?') > 0 then '&' else '?' end || pg_catalog.string_agg(
      net._urlencode_string(p.key) || '=' || net._urlencode_string(p.value), '&')
    from pg_catalog.jsonb_each_text(coalesce(params, '{}'::jsonb)) as p
  ), '');
end
$$;

create or replace function net._enqueue(
  method text, url text, headers jsonb, body bytea, timeout_milliseconds integer
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (method, url, headers, body, timeout_milliseconds)
  returning id into v_id;
  -- Delivered on commit and never after a rollback, which is when pg_net would see the row.
  perform pg_catalog.pg_notify('net_standin', '');
  return v_id;
end
$$;

create or replace function net.http_get(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds integer default 5000
) returns bigint
language sql
set search_path = ''
as $$
  select net._enqueue('GET', net._with_params(url, params), headers, null, timeout_milliseconds)
$$;

create or replace function net.http_post(
  url text,
  body jsonb default '{}'::jsonb,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{"Content-Type": "application/json"}'::jsonb,
  timeout_milliseconds integer default 5000
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_headers jsonb := coalesce(headers, '{}'::jsonb);
  v_content_type text;
begin
  select h.value into v_content_type
  from pg_catalog.jsonb_each_text(v_headers) as h
  where pg_catalog.lower(h.key) = 'content-type'
  limit 1;

  if v_content_type is null then
    v_headers := v_headers || '{"Content-Type": "application/json"}'::jsonb;
  elsif v_content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;

  return net._enqueue(
    'POST', net._with_params(url, params), v_headers,
    pg_catalog.convert_to(body::text, 'UTF8'), timeout_milliseconds);
end
$$;

create or replace function net.http_delete(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds integer default 5000,
  body jsonb default null
) returns bigint
language sql
set search_path = ''
as $$
  select net._enqueue(
    'DELETE', net._with_params(url, params), headers,
    pg_catalog.convert_to(body::text, 'UTF8'), timeout_milliseconds)
$$;

-- Hosted Supabase grants the three roles the use of net; the tables stay with the owner.
grant usage on schema net to anon, authenticated, service_role;
grant all on all tables in schema net to service_role;

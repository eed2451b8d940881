-- The auth service behind the local gateway writes its JSON columns as JSON strings. Hosted Supabase
-- writes objects, and triggers on auth.users read them with ->>.
create or replace function auth._unwrap_json() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_table_name = 'identities' then
    if pg_catalog.jsonb_typeof(new.identity_data) = 'string' then
      new.identity_data := (new.identity_data #>> '{}')::jsonb;
    end if;
    return new;
  end if;
  if pg_catalog.jsonb_typeof(new.raw_app_meta_data) = 'string' then
    new.raw_app_meta_data := (new.raw_app_meta_data #>> '{}')::jsonb;
  end if;
  if pg_catalog.jsonb_typeof(new.raw_user_meta_data) = 'string' then
    new.raw_user_meta_data := (new.raw_user_meta_data #>> '{}')::jsonb;
  end if;
  return new;
end
$$;

create or replace trigger aaa_unwrap_json before insert or update on auth.users
for each row execute function auth._unwrap_json();

create or replace trigger aaa_unwrap_json before insert or update on auth.identities
for each row execute function auth._unwrap_json();

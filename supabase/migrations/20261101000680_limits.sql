-- What one user may keep, and have refused. What they may have under way at once is decided where it is queued.

create table app.refusals (
  user_id uuid primary key references public.users (id) on delete cascade,
  since timestamptz not null,
  refusals integer not null check (refusals > 0)
);
comment on table app.refusals is 'How many attempts of a user providers refused for their content, in the 24 hours that began with the first. Kept apart from the videos, which their owner may delete.';

create function app.count_refusal(p_user_id uuid) returns void
language plpgsql set search_path = ''
as $$
begin
  insert into app.refusals as r (user_id, since, refusals)
  values (p_user_id, clock_timestamp(), 1)
  on conflict (user_id) do update
  set refusals = case when r.since > excluded.since - interval '1 day' then r.refusals + 1 else 1 end,
    since = case when r.since > excluded.since - interval '1 day' then r.since else excluded.since end;
end;
$$;
comment on function app.count_refusal(uuid) is 'Notes that a provider refused what this user asked for. It may be billed all the same, and the gems come back.';
revoke all on function app.count_refusal(uuid) from public;

create function app.check_refusals(p_user_id uuid) returns void
language plpgsql set search_path = ''
as $$
declare
  v_limit integer := (select s.refusals_per_day from app.settings s);
begin
  if exists (
    select 1 from app.refusals r
    where r.user_id = p_user_id and r.since > clock_timestamp() - interval '1 day' and r.refusals >= v_limit
  ) then
    raise exception 'Too much of what you asked for was refused. Please come back tomorrow'
      using errcode = 'GM013', detail = jsonb_build_object('limit', v_limit)::text;
  end if;
end;
$$;
comment on function app.check_refusals(uuid) is
  'GM013 where providers have refused as much of this user within a day as settings.refusals_per_day allows: each refusal costs us and not them, so it must not go on.';
revoke all on function app.check_refusals(uuid) from public;

create function app.limit_rows() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_limit integer := (select (to_jsonb(s) ->> tg_argv[0])::integer from app.settings s);
  v_too_many boolean;
begin
  -- Two who add at once count one after the other.
  perform 1 from public.users u where u.id in (select n.user_id from new_rows n) order by u.id for no key update;
  execute format(
    'select exists (select from %s t where t.user_id in (select n.user_id from new_rows n) group by t.user_id having count(*) > $1)',
    tg_relid::regclass
  ) into v_too_many using v_limit;
  if v_too_many then
    raise exception 'Nobody may have more than % %', v_limit, tg_table_name
      using errcode = 'GM004', detail = jsonb_build_object('limit', v_limit)::text;
  end if;
  return null;
end;
$$;
comment on function app.limit_rows() is
  'GM004 where a user would have more rows of this table than the setting that the trigger names allows. Definer, because users may not lock their row.';
revoke all on function app.limit_rows() from public;

create trigger limit_rows
after insert on public.children
referencing new table as new_rows
for each statement execute function app.limit_rows('children_per_user');

create trigger limit_rows
after insert on public.projects
referencing new table as new_rows
for each statement execute function app.limit_rows('projects_per_user');

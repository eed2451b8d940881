-- What one user may keep, and may have refused or cancel. What they may have under way at once is decided where it
-- is queued.

create table app.daily_counts (
  user_id uuid not null references public.users (id) on delete cascade,
  kind text not null check (kind in ('refused', 'cancelled')),
  since timestamptz not null,
  times integer not null check (times > 0),
  primary key (user_id, kind)
);
comment on table app.daily_counts is 'How often something happened to what a user asked for, in the 24 hours that began with the first time. Kept apart from the videos, which their owner may delete.';
comment on column app.daily_counts.kind is 'refused: by a provider, for content of the user''s own; it may be billed all the same, and the gems come back. cancelled: while it was queued, at no charge.';

create function app.has_own_words(p_video public.videos) returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  -- The words of a rhyme are ours; the child's name and picture, which need a consent, are not.
  return p_video.kind <> 'rhyme' or p_video.avatar_path is not null or app.has_consent(p_video.child_id);
end;
$$;
comment on function app.has_own_words(public.videos) is 'Whether a provider gets words, a name or a picture of the user''s own for this video.';

create function app.count_today(p_user_id uuid, p_kind text) returns void
language plpgsql set search_path = ''
as $$
begin
  -- Users before their counts: whoever counts may hold the user already, for a refund.
  perform 1 from public.users u where u.id = p_user_id for no key update;
  insert into app.daily_counts as c (user_id, kind, since, times)
  values (p_user_id, p_kind, clock_timestamp(), 1)
  on conflict (user_id, kind) do update
  set times = case when c.since > excluded.since - interval '1 day' then c.times + 1 else 1 end,
    since = case when c.since > excluded.since - interval '1 day' then c.since else excluded.since end;
end;
$$;
comment on function app.count_today(uuid, text) is 'Counts one more of this kind (see app.daily_counts) for this user.';

create function app.check_today(p_user_id uuid, p_own boolean) returns void
language plpgsql set search_path = ''
as $$
declare
  v_over record;
begin
  select c.kind, l.most,
    ceil(extract(epoch from c.since + interval '1 day' - clock_timestamp()))::integer as seconds
  into v_over
  from app.daily_counts c
  cross join app.settings s
  cross join lateral (
    select case c.kind when 'refused' then s.refusals_per_day else s.cancellations_per_day end as most
  ) l
  where c.user_id = p_user_id and c.since > clock_timestamp() - interval '1 day' and c.times >= l.most
    and (p_own or c.kind <> 'refused')
  -- Both have to be over.
  order by c.since desc
  limit 1;
  if found then
    raise exception '%. Please come back in %', case v_over.kind
      when 'refused' then 'Too much of what you asked for was refused'
      else 'You have cancelled too many videos'
    end, case when v_over.seconds <= 5400 then 'an hour' else round(v_over.seconds / 3600.0) || ' hours' end
    using errcode = 'GM013',
      detail = jsonb_build_object('limit', v_over.most, 'retry_after', greatest(v_over.seconds, 1))::text;
  end if;
end;
$$;
comment on function app.check_today(uuid, boolean) is
  'GM013 where this user has cancelled as often within a day as settings.cancellations_per_day allows, or, for an order with words, names or pictures of their own (p_own), was refused as often as refusals_per_day does: both cost us and not them, so neither may go on.';

create function app.limit_rows() returns trigger
language plpgsql security definer set search_path = ''
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_limit integer := (select (to_jsonb(s) ->> tg_argv[0])::integer from app.settings s);
  v_too_many boolean;
begin
  -- Two who add at once count one after the other.
  perform 1
  from (select distinct n.user_id from new_rows n order by n.user_id) n
  join public.users u on u.id = any (array[n.user_id])
  for no key update of u;
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

create trigger limit_rows
after insert on public.children
referencing new table as new_rows
for each statement execute function app.limit_rows('children_per_user');

create trigger limit_rows
after insert on public.projects
referencing new table as new_rows
for each statement execute function app.limit_rows('projects_per_user');

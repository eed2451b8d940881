-- Margins: what videos earned in gems and what they cost us in USD. Both outlive the video.

create table app.costs (
  video_job_id uuid primary key,
  video_id uuid not null,
  provider text not null,
  model text not null,
  cost_usd numeric(12, 6),
  was_submitted boolean not null,
  ended_at timestamptz not null
);
comment on table app.costs is 'What the attempts of deleted videos cost us, by the provider''s own figure; null where it gave none. Of all others their own rows tell. No foreign key: like the ledger, the costs outlive the video.';
comment on column app.costs.was_submitted is 'The provider had it, or may have had it. Others cost nothing.';
create index costs_video_id_idx on app.costs (video_id, ended_at desc);
create index costs_ended_at_idx on app.costs using brin (ended_at);
alter table app.costs enable row level security;

create function app.keep_cost() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into app.costs as c (video_job_id, video_id, provider, model, cost_usd, was_submitted, ended_at)
  values (
    old.id, old.video_id, old.provider, old.model, old.cost_usd,
    old.submitted_at is not null or old.maybe_bought, coalesce(old.finished_at, clock_timestamp())
  )
  -- An attempt that was brought back from a backup goes once more.
  on conflict (video_job_id) do update
  set cost_usd = coalesce(excluded.cost_usd, c.cost_usd), was_submitted = c.was_submitted or excluded.was_submitted;
  return null;
end;
$$;
comment on function app.keep_cost() is 'Writes down what an attempt cost when its video is deleted, whoever deletes it. Definer, because nobody else may write costs.';

create trigger keep_cost
after delete on public.video_jobs
for each row execute function app.keep_cost();

create function app.margins_between(p_from timestamptz, p_until timestamptz)
returns table (
  day date,
  video_id uuid,
  provider text,
  model text,
  gems_charged bigint,
  gems_refunded bigint,
  gems_earned bigint,
  usd_spent numeric,
  costs_unknown bigint
)
language sql stable set search_path = ''
as $$
with movements as (
  select
    (e.created_at at time zone 'utc')::date as day,
    e.video_id,
    -- Whoever made it, or tried last. Deleted while nobody had tried yet: nobody.
    coalesce(v.provider, c.provider) as provider,
    coalesce(v.model, c.model) as model,
    case when e.kind = 'charge' then -e.amount else 0 end as gems_charged,
    case when e.kind = 'refund' then e.amount else 0 end as gems_refunded,
    null::numeric as usd_spent,
    0 as costs_unknown
  from public.gem_entries e
  left join public.videos v on v.id = e.video_id
  left join lateral (
    select k.provider, k.model from app.costs k where k.video_id = e.video_id order by k.ended_at desc limit 1
  ) c on v.id is null
  where e.kind in ('charge', 'refund') and e.created_at >= p_from and e.created_at < p_until
  union all
  select
    (k.ended_at at time zone 'utc')::date, k.video_id, k.provider, k.model, 0, 0, k.cost_usd,
    (k.was_submitted and k.cost_usd is null)::integer
  from (
    select
      j.video_id, j.provider, j.model, j.cost_usd, j.submitted_at is not null or j.maybe_bought as was_submitted,
      j.finished_at as ended_at
    from public.video_jobs j
    where j.finished_at is not null
      and j.finished_at >= p_from and j.finished_at < p_until
    union all
    select c.video_id, c.provider, c.model, c.cost_usd, c.was_submitted, c.ended_at
    from app.costs c
    where c.ended_at >= p_from and c.ended_at < p_until
  ) k
  where k.was_submitted or k.cost_usd > 0
)
select
  m.day, m.video_id, m.provider, m.model,
  sum(m.gems_charged)::bigint as gems_charged,
  sum(m.gems_refunded)::bigint as gems_refunded,
  sum(m.gems_charged - m.gems_refunded)::bigint as gems_earned,
  coalesce(sum(m.usd_spent), 0) as usd_spent,
  sum(m.costs_unknown)::bigint as costs_unknown
from movements m
group by m.day, m.video_id, m.provider, m.model;
$$;
comment on function app.margins_between(timestamptz, timestamptz) is
  'What app.margins tells, of the time from p_from on and before p_until. Reads only what happened then.';

create view app.margins with (security_invoker = true) as
select m.* from app.margins_between('-infinity', 'infinity') m;
comment on view app.margins is
  'Gems earned (charged less refunded) and USD spent, by day (UTC), video, provider and model. Gems count for whoever made the video, USD for whoever was paid, failed attempts included. costs_unknown: attempts that a provider had and named no figure for.';
revoke all on app.margins from public, anon, authenticated, service_role;

create function public.margins(p_from date, p_to date) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select app.refuse_people();
  select coalesce(jsonb_agg(to_jsonb(d) order by d.day, d.provider, d.model), '[]')
  from (
    select
      m.day, m.provider, m.model, count(distinct m.video_id) as videos, sum(m.gems_charged)::bigint as gems_charged,
      sum(m.gems_refunded)::bigint as gems_refunded, sum(m.gems_earned)::bigint as gems_earned,
      sum(m.usd_spent) as usd_spent, sum(m.costs_unknown)::bigint as costs_unknown
    from app.margins_between(p_from::timestamp at time zone 'utc', (p_to + 1)::timestamp at time zone 'utc') m
    group by m.day, m.provider, m.model
  ) d;
$$;
comment on function public.margins(date, date) is
  'app.margins summed up by day, provider and model, both days included: [{day, provider, model, videos, gems_charged, gems_refunded, gems_earned, usd_spent, costs_unknown}], in this order. One value, since of rows PostgREST answers no more than its limit, a thousand as a rule. Service role only, as a definer because no role reads app.';
revoke all on function public.margins(date, date) from public, anon, authenticated;
grant execute on function public.margins(date, date) to service_role;

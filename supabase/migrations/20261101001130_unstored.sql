-- Nothing is bought whose file cannot be kept.

create function app.unstored_providers() returns setof text
language plpgsql volatile set search_path = ''
set enable_seqscan = off set enable_indexonlyscan = off set jit = off
as $$
declare
  v_patience interval;
begin
  select s.storing_patience_minutes * interval '1 minute' into v_patience from app.settings s;
  return query
  with in_vain as materialized (
    select j.provider, j.finished_at
    from public.videos v
    cross join lateral (select j.* from public.video_jobs j where j.video_id = v.id offset 0) j
    where v.under_way and v.status = 'rendering' and j.status = 'completed'
      and j.finished_at < clock_timestamp() - v_patience
      -- That one has not had its turn yet is no trouble: where many come at once, the last of them wait.
      and (
        j.finished_at < clock_timestamp() - 6 * v_patience
        or exists (
          select 1 from pgboss.job q
          where q.name = 'store-video' and q.id = j.id and (q.state = 'retry' or q.retry_count > 0)
        )
      )
    union all
    select m.provider, n.finished_at
    from (select distinct p.provider, p.model from app.prices p) m
    -- The newest of each model, straight from the index.
    cross join lateral (
      select j.finished_at, j.error_kind
      from public.video_jobs j
      where j.provider = m.provider and j.model = m.model and j.status = 'completed'
      order by j.finished_at desc
      limit 20
    ) n
    where n.error_kind = 'storing' and n.finished_at > clock_timestamp() - 6 * v_patience
  )
  select w.provider
  from (select i.provider, min(i.finished_at) as since from in_vain i group by i.provider having count(*) >= 3) w
  where not exists (
    select 1
    from app.prices p
    join public.video_jobs j
      on j.provider = p.provider and j.model = p.model and j.status = 'completed' and j.finished_at >= w.since
    join public.videos v on v.id = any (array[j.video_id])
    where p.provider = w.provider and v.status = 'completed'
  );
end;
$$;
comment on function app.unstored_providers() is
  'Providers of whose files none can be stored: three were tried in vain for storing_patience_minutes, or waited six times as long without a try, or were given up within that time; and nothing that was delivered since the oldest of them is stored. Storage is down, or full, or refuses them; or the provider''s own host is.';

create function app.rest_unstored() returns void
language plpgsql set search_path = '' set lock_timeout = '100ms'
as $$
declare
  v_provider text;
begin
  for v_provider in select u.* from app.unstored_providers() u loop
    begin
      -- Said again each minute while it lasts. What waits is tried all the time, and the first that is stored ends it.
      update app.providers p
      set paused_until = clock_timestamp() + interval '3 minutes', pause_reason = 'not_stored'
      where p.name = v_provider and coalesce(p.paused_until < clock_timestamp() + interval '3 minutes', true);
    exception when lock_not_available then
      -- An operator is changing the provider.
      null;
    end;
  end loop;
end;
$$;
comment on function app.rest_unstored() is 'A provider whose files cannot be stored is given no more work: it would be paid, and its videos thrown away.';

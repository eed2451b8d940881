-- Nothing is bought whose file cannot be kept.

create index video_jobs_not_stored on public.video_jobs (finished_at) where error_kind = 'storing';

create function app.unstored_providers() returns setof text
language plpgsql volatile set search_path = ''
-- Straight from its index: there is another one, of all attempts ever, that would be read for hours of them.
set enable_seqscan = off set enable_indexonlyscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  -- An index is searched by a time that is known, and not by one that is asked for row by row.
  v_now timestamptz := clock_timestamp();
  v_patience interval;
  v_resting text[] := array(select p.name from app.providers p where p.pause_reason = 'not_stored');
begin
  select s.storing_patience_minutes * interval '1 minute' into v_patience from app.settings s;
  return query
  with in_vain as materialized (
    select j.provider, j.finished_at
    from public.videos v
    cross join lateral (select j.* from public.video_jobs j where j.video_id = v.id offset 0) j
    where v.under_way and v.status = 'rendering' and j.status = 'completed' and j.finished_at < v_now - v_patience
      -- That one has not had its turn yet is no trouble: where many come at once, the last of them wait. Once there
      -- is trouble it may only be back in the queue, which had given it up.
      and (
        j.finished_at < v_now - 6 * v_patience
        or j.provider = any (v_resting)
        or exists (
          select 1 from pgboss.job q
          where q.name = 'store-video' and q.id = j.id and (q.state = 'retry' or q.retry_count > 0)
        )
      )
    union all
    select j.provider, j.finished_at
    from public.video_jobs j
    where j.error_kind = 'storing' and j.finished_at > v_now - 6 * v_patience
  )
  select s.provider
  from (select i.provider from in_vain i group by i.provider having count(*) >= 3) s
  where 3 <= (
    select count(*) from in_vain i
    where i.provider = s.provider and i.finished_at > coalesce((
      select max(n.finished_at)
      from (
        select p.provider, p.model from app.prices p
        union
        select m.provider, m.model from app.model_stats m
      ) m
      -- The newest of each model that is stored.
      cross join lateral (
        select j.finished_at
        from public.video_jobs j
        join public.videos v on v.id = any (array[j.video_id])
        where j.provider = m.provider and j.model = m.model and j.status = 'completed' and v.status = 'completed'
        order by j.finished_at desc
        limit 1
      ) n
      where m.provider = s.provider
    ), '-infinity')
  );
end;
$$;
comment on function app.unstored_providers() is
  'Providers of whose newest files none can be stored: three or more, delivered after the newest that is stored, were tried in vain for storing_patience_minutes, or have waited six times as long without a try, or were given up, having come within that time. Storage is down, or full, or refuses them; or the provider''s own host is.';

create function app.rest_unstored() returns void
language plpgsql set search_path = '' set lock_timeout = '100ms'
as $$
declare
  v_settings app.settings;
  v_provider record;
begin
  select s.* into v_settings from app.settings s;
  for v_provider in
    select p.name, u.name is not null as is_unstored
    from app.providers p
    left join app.unstored_providers() u (name) on u.name = p.name
    where u.name is not null or p.pause_reason = 'not_stored'
  loop
    begin
      if v_provider.is_unstored then
        -- Who rests already, for this or another reason, is given nothing anyway, or one attempt as a test.
        update app.providers p
        set failures = greatest(p.failures, v_settings.breaker_failures), pause_reason = 'not_stored',
          paused_until = clock_timestamp() + v_settings.storing_patience_minutes * interval '1 minute'
        where p.name = v_provider.name
          and (p.pause_reason is distinct from 'not_stored' or p.failures < v_settings.breaker_failures)
          and coalesce(p.paused_until <= clock_timestamp(), true);
      else
        update app.providers p
        set failures = 0, pause_reason = null, paused_until = null
        where p.name = v_provider.name and p.pause_reason = 'not_stored';
      end if;
    exception when lock_not_available then
      -- An operator is changing the provider.
      null;
    end;
  end loop;
end;
$$;
comment on function app.rest_unstored() is
  'Opens the breaker of a provider whose files cannot be stored, which would be paid and its videos thrown away, and closes it once they can be. Meanwhile it is given one attempt each storing_patience_minutes (see app.note_acceptance): where nothing else waits to be stored, that one shows that it is over.';

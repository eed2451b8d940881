-- When a provider takes nothing: a circuit breaker that every worker sees.

create function app.breaker_state(p_provider app.providers) returns text
language sql volatile set search_path = ''
as $$
  select case
    when p_provider.max_in_flight = 0 then 'off'
    when p_provider.failures < s.breaker_failures then
      case when p_provider.paused_until > clock_timestamp() then 'paused' else 'closed' end
    when p_provider.paused_until > clock_timestamp() then 'open'
    else 'half_open'
  end
  from app.settings s;
$$;
comment on function app.breaker_state(app.providers) is
  'closed: takes work. paused: asked us to wait, or refused our account. open: took nothing several times in a row, or its files cannot be stored, and is left alone. half_open: one attempt at a time tries whether it is back. off: max_in_flight is 0.';

create function app.note_acceptance(p_provider text) returns void
language plpgsql set search_path = '' set lock_timeout = '500ms'
as $$
begin
  -- Almost always there is nothing to forget, and so nothing to write.
  update app.providers p
  set failures = 0
  where p.name = p_provider and p.failures > 0 and p.pause_reason is distinct from 'not_stored';
  if not found then
    -- It was never in doubt that it takes videos; whether they can be stored this one is to show.
    update app.providers p
    set paused_until = clock_timestamp() + s.storing_patience_minutes * interval '1 minute'
    from app.settings s
    where p.name = p_provider and p.failures > 0 and p.pause_reason = 'not_stored';
  end if;
exception when lock_not_available then
  -- An operator is changing the provider, who may take long: what it took is to be written down all the same.
  null;
end;
$$;
comment on function app.note_acceptance(text) is 'The provider took something: its breaker closes, unless it is open because its files cannot be stored (see app.rest_unstored). Not where somebody holds its row: then with the next one.';

create function app.note_refusal(p_provider text, p_rest_seconds integer, p_code text, p_times integer default 1) returns void
language plpgsql set search_path = '' set lock_timeout = '500ms'
as $$
declare
  v_settings app.settings;
  v_failures integer;
begin
  select s.* into v_settings from app.settings s;
  -- However many at once, they open the breaker and do no more: its first rest is a short one.
  update app.providers p
  set failures = p.failures + greatest(1, least(p_times, v_settings.breaker_failures - p.failures)),
    pause_reason = p_code
  where p.name = p_provider
  returning p.failures into v_failures;
  update app.providers p
  set paused_until = greatest(p.paused_until, clock_timestamp() + interval '1 second' * greatest(
    least(p_rest_seconds, 3600),
    case when v_failures >= v_settings.breaker_failures
      then least(v_settings.breaker_seconds * 2 ^ least(v_failures - v_settings.breaker_failures, 10), 600)
      else 0
    end
  ))
  where p.name = p_provider;
exception when lock_not_available then
  -- As with app.note_acceptance: the next refusal counts.
  null;
end;
$$;
comment on function app.note_refusal(text, integer, text, integer) is
  'The provider took nothing of what it was handed: it rests for as long as it asked, and once that has happened several times in a row for twice as long each time, up to ten minutes. p_times: how many refusals it counts for; together they open the breaker at most. Not noted where somebody holds the provider''s row.';

create function app.note_asked_in_vain(p_provider text, p_code text) returns void
language plpgsql set search_path = ''
as $$
begin
  -- Asked every few seconds, it would say so every few seconds.
  if exists (
    select 1 from app.providers p where p.name = p_provider and coalesce(p.paused_until <= clock_timestamp(), true)
  ) then
    perform app.note_refusal(p_provider, 300, p_code);
  end if;
end;
$$;
comment on function app.note_asked_in_vain(text, text) is 'The provider tells nothing about our tasks for our key or our account: it is given no more for five minutes, unless it rests already, and health says why.';

create function app.takes_attempts(p_provider app.providers) returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return case app.breaker_state(p_provider)
    when 'closed' then true
    -- One tries whether it is back. All of them would wait there, with no way back, where it is not.
    when 'half_open' then app.free_slots(p_provider.name) > 0 and not exists (
      select 1 from pgboss.job j where j.name = app.submit_queue(p_provider.name) and j.state < 'active'
    )
    else false
  end;
end;
$$;
comment on function app.takes_attempts(app.providers) is 'Whether a provider takes attempts that were meant for another: its breaker is closed, or half open with nobody on the way to try it.';

create function app.storing_works() returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return exists (
    select 1
    from (select n.kind, n.created_at from public.notifications n order by n.id desc limit 200) n
    where n.kind = 'video_ready' and n.created_at > clock_timestamp() - interval '10 minutes'
  );
end;
$$;
comment on function app.storing_works() is 'Whether any file was stored in the last minutes.';

create function app.next_fallback(p_video public.videos, p_kind text default null) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select f.fallback
    from jsonb_array_elements(p_video.fallbacks) with ordinality as f (fallback, place)
    join app.providers p on p.name = f.fallback ->> 'provider'
    -- Of a provider in trouble no other model is any better, unless the model itself is the trouble.
    where (
        p.name <> p_video.provider
        or (p_kind = 'model_off' and f.fallback ->> 'model' <> p_video.model)
      )
      and app.takes_attempts(p)
    order by f.place
    limit 1
  );
end;
$$;
comment on function app.next_fallback(public.videos, text) is 'The first of a video''s fallbacks elsewhere that takes work now: {provider, model}; null where there is none. One that is half open takes one. p_kind: what went wrong, if anything did.';

create index videos_movable on public.videos (provider, id) where under_way and fallbacks <> '[]';

-- The clock: pg_cron only rings, and only when work is due. An idle system calls nothing.

do $$
declare
  v_extension record;
begin
  for v_extension in
    select * from (values
      ('pg_cron', 'cron', 'pg_catalog'), ('pg_net', 'net', 'extensions'), ('supabase_vault', 'vault', 'vault')
    ) as e (name, schema, home)
  loop
    if to_regnamespace(v_extension.schema) is null
      and exists (select 1 from pg_catalog.pg_available_extensions a where a.name = v_extension.name) then
      begin
        if v_extension.name <> 'supabase_vault' and to_regnamespace(v_extension.home) is not null then
          execute format('create extension if not exists %I with schema %I', v_extension.name, v_extension.home);
        else
          execute format('create extension if not exists %I', v_extension.name);
        end if;
      exception when others then
        raise warning 'Extension % is installed but cannot be used here: %', v_extension.name, sqlerrm;
      end;
    end if;
  end loop;
end;
$$;

create function app.schedule_cron(p_seconds integer default 10) returns text
language plpgsql set search_path = ''
as $$
declare
  v_tick text := p_seconds || ' seconds';
begin
  if p_seconds is null or p_seconds not between 1 and 59 then
    raise exception 'p_seconds must be 1 to 59, not %', coalesce(p_seconds::text, 'null')
      using errcode = 'GM008', detail = '{"field": "p_seconds", "allowed": [{"min": 1, "max": 59}]}';
  end if;
  if to_regclass('cron.job') is null then
    return null;
  end if;
  begin
    execute 'select cron.schedule($1, $2, $3)' using 'gemreel-tick', v_tick, 'select app.tick()';
  exception when invalid_parameter_value then
    -- pg_cron before 1.5 knows minutes only.
    v_tick := '* * * * *';
    execute 'select cron.schedule($1, $2, $3)' using 'gemreel-tick', v_tick, 'select app.tick()';
  end;
  execute 'select cron.schedule($1, $2, $3)' using
    'gemreel-maintain', '* * * * *', 'select app.ring(''maintain'') where app.work_due(''maintain'')';
  execute 'select cron.schedule($1, $2, $3)' using 'gemreel-clean-up', '17 * * * *', 'select app.clean_up()';
  -- By itself: it reads everything, and where it is cut off the cleaning is not to be undone with it.
  execute 'select cron.schedule($1, $2, $3)' using
    'gemreel-check', '47 3 * * *', 'select app.check_everything(), app.ring(''maintain'')';
  return v_tick;
end;
$$;
comment on function app.schedule_cron(integer) is
  'Schedules the four cron jobs; run again to change how often the tick runs (1 to 59 seconds). Returns the tick''s schedule: every minute where pg_cron is older than 1.5, null where there is no pg_cron. GM008 for other seconds.';

select app.schedule_cron();

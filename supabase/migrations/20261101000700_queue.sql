-- The work queue (pg-boss), its fair order, and the doorbell that wakes the workers.

-- Without a fixed search_path the caller decides what an unqualified name in these means.
alter function pgboss.job_now() set search_path = '';
alter function pgboss.job_table_format(text, text) set search_path = '';
alter function pgboss.job_table_run(text, text, text) set search_path = '';
alter function pgboss.job_table_run_async(text, integer, text, text, text) set search_path = '';
alter function pgboss.create_queue(text, jsonb) set search_path = '';
alter function pgboss.delete_queue(text) set search_path = '';

-- Submitting and storing are short actions, so an active job whose worker died is known to be dead
-- after expireInSeconds. The dead letters keep what ran out of retries for the operator; the video
-- itself is brought to an end by app.reconcile().
select pgboss.create_queue('submit-dead', '{"policy": "standard"}');
select pgboss.create_queue('store-video-dead', '{"policy": "standard"}');
select pgboss.create_queue('store-video', '{
  "policy": "standard", "partition": true, "deadLetter": "store-video-dead",
  "retryLimit": 5, "retryDelay": 2, "retryBackoff": true, "retryDelayMax": 120,
  "expireInSeconds": 300, "deleteAfterSeconds": 3600
}');
-- How often a delivery is tried is counted in its row; here is only what brings back one whose sender died.
select pgboss.create_queue('notify-user-dead', '{"policy": "standard"}');
select pgboss.create_queue('notify-' || c.channel, '{
  "policy": "standard", "partition": true, "deadLetter": "notify-user-dead",
  "retryLimit": 20, "retryDelay": 2, "retryBackoff": true, "retryDelayMax": 60,
  "expireInSeconds": 60, "deleteAfterSeconds": 3600
}')
-- One each, so that a slow channel keeps nobody waiting for another.
from unnest('{fcm,web_push,webhook}'::text[]) as c (channel);

create function app.enqueue_all(
  p_queue text,
  p_ids uuid[],
  p_data jsonb[],
  p_priority integer default 0,
  p_start_after timestamptz default now()
) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_made integer;
begin
  for v_round in 1..2 loop
    insert into pgboss.job (
      id, name, data, priority, start_after, created_on, keep_until,
      expire_seconds, deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max,
      policy, dead_letter, heartbeat_seconds
    )
    select
      n.id, q.name, n.data, p_priority, p_start_after, now(),
      p_start_after + q.retention_seconds * interval '1 second',
      q.expire_seconds, q.deletion_seconds, q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max,
      q.policy, q.dead_letter, q.heartbeat_seconds
    from pgboss.queue q
    cross join unnest(p_ids, p_data) as n (id, data)
    where q.name = p_queue
    on conflict do nothing;
    get diagnostics v_made = row_count;
    if v_made = cardinality(p_ids) then
      return v_made;
    end if;
    if not exists (select 1 from pgboss.queue q where q.name = p_queue) then
      raise exception 'No queue named "%"', p_queue using errcode = 'GM008';
    end if;
    -- A job with one of these ids remains from an earlier round (held back by the provider, or given
    -- up). The row that asks for work now is the truth, so the old job makes room; all are made anew.
    delete from pgboss.job j where j.name = p_queue and j.id = any (p_ids);
  end loop;
  -- Somebody makes the same jobs just now, over and over. Nothing may be taken for queued that is not.
  raise exception 'Queue "%" did not take % jobs', p_queue, cardinality(p_ids) using errcode = '40001';
end;
$$;
comment on function app.enqueue_all(text, uuid[], jsonb[], integer, timestamptz) is
  'The only place that inserts into pgboss.job: makes the rows that boss.send() would make, with the queue''s own settings. A test compares the two.';
revoke all on function app.enqueue_all(text, uuid[], jsonb[], integer, timestamptz) from public;

create function app.enqueue(
  p_queue text,
  p_id uuid,
  p_data jsonb,
  p_priority integer default 0,
  p_start_after timestamptz default now()
) returns void
language plpgsql set search_path = ''
as $$
begin
  perform app.enqueue_all(p_queue, array[p_id], array[p_data], p_priority, p_start_after);
end;
$$;
comment on function app.enqueue(text, uuid, jsonb, integer, timestamptz) is 'Puts one job into a queue.';
revoke all on function app.enqueue(text, uuid, jsonb, integer, timestamptz) from public;

create table app.fair_clocks (
  provider text primary key references app.providers (name) on delete cascade,
  tag bigint not null default 0
);
comment on table app.fair_clocks is 'Virtual time of each submit queue: the largest tag served so far.';

create function app.submit_queue(p_provider text) returns text
language plpgsql immutable set search_path = ''
as $$ begin return 'submit-' || p_provider; end; $$;
comment on function app.submit_queue(text) is 'The queue of the attempts that wait for a provider. One each, so that a slow provider keeps nobody waiting for another.';
revoke all on function app.submit_queue(text) from public;

create function app.open_submit_queue() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into app.fair_clocks (provider) values (new.name);
  perform pgboss.create_queue(app.submit_queue(new.name), '{
    "policy": "standard", "partition": true, "deadLetter": "submit-dead",
    "retryLimit": 10, "retryDelay": 1, "retryBackoff": true, "retryDelayMax": 60,
    "expireInSeconds": 60, "deleteAfterSeconds": 3600
  }');
  return null;
end;
$$;
comment on function app.open_submit_queue() is 'Every provider has a submit queue and a fair clock.';
revoke all on function app.open_submit_queue() from public;

create trigger open_submit_queue
after insert on app.providers
for each row execute function app.open_submit_queue();

insert into app.providers (name, max_in_flight) values ('runware', 200);
insert into app.providers (name, max_in_flight, chooses_task_id, min_poll_seconds, can_cancel) values ('runway', 20, false, 5, true);
insert into app.providers (name, max_in_flight, chooses_task_id, min_poll_seconds) values ('kie', 80, false, 3);

create function app.queue_submission(
  p_job_id uuid,
  p_provider text,
  p_tag bigint default null,
  p_start_after timestamptz default now()
) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_tag bigint := p_tag;
begin
  if v_tag is null then
    select c.tag into v_tag from app.fair_clocks c where c.provider = p_provider;
  end if;
  return app.enqueue_all(
    app.submit_queue(p_provider), array[p_job_id], array[jsonb_build_object('video_job_id', p_job_id)],
    -- pg-boss serves the highest priority first, the smallest tag is the most urgent.
    (-least(v_tag, 2147483647))::integer, p_start_after
  );
end;
$$;
comment on function app.queue_submission(uuid, text, bigint, timestamptz) is 'Puts one attempt into its provider''s submit queue, in fair order. Without a tag it enters at the clock: it has waited its turn once.';
revoke all on function app.queue_submission(uuid, text, bigint, timestamptz) from public;

create table app.stages (
  name text primary key,
  function_name text not null,
  drainers smallint not null check (drainers between 1 and 32)
);
comment on table app.stages is 'The workers: which edge function drains which stage, and how many may drain at once.';
insert into app.stages (name, function_name, drainers)
values ('submit', 'submit-videos', 1), ('poll', 'poll-videos', 1), ('store', 'store-videos', 2), ('notify', 'notify-users', 1),
  ('maintain', 'maintain', 1);

create table app.drainers (
  stage text not null references app.stages (name),
  node text not null,
  lease_until timestamptz not null,
  primary key (stage, node)
);
comment on table app.drainers is 'Who is draining a stage right now, or was rung for ("rung"). A lease, so a worker that died is forgotten.';

create function app.doorbell_installed() returns boolean
language sql stable set search_path = ''
as $$
  select to_regclass('vault.decrypted_secrets') is not null
    and exists (
      select 1 from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'net' and p.proname = 'http_post'
    );
$$;
comment on function app.doorbell_installed() is 'Whether pg_net and Vault are there to ring with. Without them nothing wakes the workers, and health says so.';
revoke all on function app.doorbell_installed() from public;

create function app.call_function(p_name text) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_url text;
  v_key text;
begin
  if not app.doorbell_installed() then
    return false;
  end if;
  -- Dynamic, because pg_net and Vault need not exist when this function is made.
  execute $q$
    select
      max(s.decrypted_secret) filter (where s.name = 'functions_url'),
      max(s.decrypted_secret) filter (where s.name = 'cron_secret_key')
    from vault.decrypted_secrets s
    where s.name in ('functions_url', 'cron_secret_key')
  $q$ into v_url, v_key;
  if v_url is null or v_key is null then
    return false;
  end if;
  execute $q$
    select net.http_post(
      url := $1,
      body := '{}'::jsonb,
      headers := jsonb_build_object('content-type', 'application/json', 'apikey', $2),
      timeout_milliseconds := 5000
    )
  $q$ using v_url || '/' || p_name, v_key;
  return true;
end;
$$;
comment on function app.call_function(text) is
  'POSTs to an edge function after commit, with the secret key from Vault. False when pg_net, Vault or the secrets functions_url and cron_secret_key are missing.';
revoke all on function app.call_function(text) from public;

create function app.ring(p_stage text, p_enough integer default 1) returns boolean
language plpgsql set search_path = ''
as $$
begin
  -- Shared while we decide and commit: a drainer that wants to stop takes it exclusively, so it
  -- either sees our work or we see that it has stopped. No ring is lost.
  perform pg_advisory_xact_lock_shared(hashtext('gemreel.stage.' || p_stage));
  if (
    select count(*) from app.drainers d where d.stage = p_stage and d.lease_until > clock_timestamp()
  ) >= p_enough then
    return false;
  end if;
  -- A place kept for the worker that is on its way: in a burst only the first rings.
  insert into app.drainers as d (stage, node, lease_until)
  values (p_stage, 'rung', clock_timestamp() + interval '5 seconds')
  on conflict (stage, node) do update set lease_until = excluded.lease_until
    where d.lease_until <= clock_timestamp();
  if not found then
    return false;
  end if;
  return app.call_function((select s.function_name from app.stages s where s.name = p_stage));
end;
$$;
comment on function app.ring(text, integer) is
  'Wakes a worker of a stage after commit, unless p_enough drain it already or one is on its way (it will find the new work before it stops). The last thing a transaction does; more than one stage in the order poll, store, submit, notify.';
revoke all on function app.ring(text, integer) from public;

create function app.start_drain(p_stage text, p_node text) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_settings app.settings;
begin
  perform pg_advisory_xact_lock(hashtext('gemreel.stage.' || p_stage));
  select s.* into v_settings from app.settings s;
  delete from app.drainers d
  where d.stage = p_stage and (d.lease_until <= clock_timestamp() or d.node = 'rung');
  if (select count(*) from app.drainers d where d.stage = p_stage and d.node <> p_node)
    >= (select s.drainers from app.stages s where s.name = p_stage) then
    return false;
  end if;
  insert into app.drainers (stage, node, lease_until)
  values (p_stage, p_node, clock_timestamp() + v_settings.drain_lease_seconds * interval '1 second')
  on conflict (stage, node) do update set lease_until = excluded.lease_until;
  return true;
end;
$$;
comment on function app.start_drain(text, text) is 'Takes or renews this worker''s place at a stage. False when enough workers drain it already.';
revoke all on function app.start_drain(text, text) from public;

create function app.end_drain(p_stage text, p_node text) returns boolean
language plpgsql set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtext('gemreel.stage.' || p_stage));
  delete from app.drainers d where d.stage = p_stage and d.node = p_node;
  return app.work_due(p_stage);
end;
$$;
comment on function app.end_drain(text, text) is 'Gives up this worker''s place and says whether work came in meanwhile, in which case the worker goes on.';
revoke all on function app.end_drain(text, text) from public;

create function app.free_slots(p_provider text) returns integer
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select case
      when p.paused_until > clock_timestamp() then 0
      -- Half open: one attempt at a time tries whether the provider is back.
      when p.failures >= (select s.breaker_failures from app.settings s) then greatest(0, least(1, p.max_in_flight) - (
        select count(*) from public.video_jobs j
        where j.provider = p.name and j.in_flight and j.status = 'claimed' and j.lease_until > clock_timestamp()
      )::integer)
      else greatest(0, p.max_in_flight - (
        select count(*) from public.video_jobs j
        where j.provider = p.name and j.in_flight
          -- A claim whose lease is over takes no slot: it must be able to get one again.
          and (j.status = 'processing' or (j.status = 'claimed' and j.lease_until > clock_timestamp()))
      )::integer)
    end
    from app.providers p
    where p.name = p_provider
  );
end;
$$;
comment on function app.free_slots(text) is 'How many more attempts the provider may be given now.';
revoke all on function app.free_slots(text) from public;

create function app.providers_with_work(p_stage text) returns table (name text)
language sql volatile set search_path = ''
as $$
  select p.name
  from app.providers p
  where case p_stage
    when 'submit' then exists (
        select 1 from pgboss.job j
        where j.name = app.submit_queue(p.name) and j.state < 'active' and not j.blocked
          and j.start_after <= clock_timestamp()
      ) and app.free_slots(p.name) > 0
    when 'poll' then exists (
        select 1 from public.video_jobs j
        where j.provider = p.name and j.in_flight and j.next_poll_at <= clock_timestamp()
          -- Until it is acknowledged, an attempt can be asked about only where its id is ours.
          and (j.status = 'processing' or p.chooses_task_id)
      ) or exists (
        -- The poller tells them to stop. Whatever it was, it is over some hours later.
        select 1 from app.cancellations c
        where c.provider = p.name and c.try_at <= clock_timestamp()
          and c.created_at > clock_timestamp() - interval '6 hours'
      )
    else false
  end
  order by p.name;
$$;
comment on function app.providers_with_work(text) is 'The providers with work due at the stages submit and poll.';
revoke all on function app.providers_with_work(text) from public;

create function app.check_due() returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return exists (
    select 1
    from app.last_check c
    where c.busy or exists (
      select 1 from public.gem_entries g
      -- An entry is as old as its transaction, and seen only when that is over.
      where g.created_at >= coalesce(c.recent_at, '-infinity') - interval '1 minute'
    )
  );
end;
$$;
comment on function app.check_due() is 'Whether the books have changed since they were last checked: the end of the last video is looked at, too.';
revoke all on function app.check_due() from public;

create function app.work_due(p_stage text) returns boolean
language sql volatile set search_path = ''
as $$
  select case p_stage
    when 'submit' then exists (select 1 from app.providers_with_work('submit'))
      or exists (select 1 from app.waiting_in_vain(1))
    when 'poll' then exists (select 1 from app.providers_with_work('poll'))
    when 'store' then exists (
        select 1 from pgboss.job j
        where j.name = 'store-video' and j.state < 'active' and not j.blocked and j.start_after <= clock_timestamp()
      )
    when 'notify' then exists (
        select 1 from pgboss.job j
        where j.name in ('notify-fcm', 'notify-web_push', 'notify-webhook') and j.state < 'active' and not j.blocked and j.start_after <= clock_timestamp()
      )
    when 'maintain' then exists (
        -- The queues with a dead letter are the ones that work is in.
        select 1 from pgboss.queue q
        join pgboss.job j on j.name = q.name and j.state <= 'active'
        where q.dead_letter is not null
      ) or exists (
        select 1 from public.videos v where v.under_way
      ) or exists (
        select 1 from app.objects_to_delete d where d.try_at <= clock_timestamp()
      ) or exists (
        select 1 from app.erasures e where e.finished_at is null
      ) or app.check_due()
    else false
  end;
$$;
comment on function app.work_due(text) is 'Whether a stage has something to do now. Cheap: cron asks every few seconds.';
revoke all on function app.work_due(text) from public;

create function app.tick() returns void
language plpgsql set search_path = ''
as $$
declare
  v_stage app.stages;
begin
  for v_stage in
    select s.* from app.stages s
    where s.name in ('poll', 'store', 'submit', 'notify')
    -- Notify is last everywhere: its own trigger rings it when everything else is done.
    order by s.name = 'notify', s.name
  loop
    if app.work_due(v_stage.name) then
      perform app.ring(v_stage.name, v_stage.drainers);
    end if;
  end loop;
end;
$$;
comment on function app.tick() is 'Rings the stages that have work due and fewer workers than they may have. Run by pg_cron; makes no call when nothing is due.';
revoke all on function app.tick() from public;

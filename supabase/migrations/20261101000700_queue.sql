-- The work queue (pg-boss) and its fair order.

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
  p_queues text[],
  p_ids uuid[],
  p_data jsonb[],
  p_priorities integer[] default null,
  p_start_after timestamptz default now()
) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_made integer;
  v_unknown text;
begin
  for v_round in 1..2 loop
    insert into pgboss.job (
      id, name, data, priority, start_after, created_on, keep_until,
      expire_seconds, deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max,
      policy, dead_letter, heartbeat_seconds
    )
    select
      n.id, q.name, n.data, coalesce(n.priority, 0), p_start_after, now(),
      p_start_after + q.retention_seconds * interval '1 second',
      q.expire_seconds, q.deletion_seconds, q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max,
      q.policy, q.dead_letter, q.heartbeat_seconds
    from unnest(p_queues, p_ids, p_data, p_priorities) as n (queue, id, data, priority)
    join pgboss.queue q on q.name = n.queue
    on conflict do nothing;
    get diagnostics v_made = row_count;
    if v_made = cardinality(p_ids) then
      return v_made;
    end if;
    select n.queue into v_unknown
    from unnest(p_queues) as n (queue)
    where not exists (select 1 from pgboss.queue q where q.name = n.queue);
    if found then
      raise exception 'No queue named "%"', v_unknown using errcode = 'GM008';
    end if;
    -- A job with one of these ids remains from an earlier round (held back by the provider, or given
    -- up). The row that asks for work now is the truth, so the old job makes room; all are made anew.
    delete from pgboss.job j
    using unnest(p_queues, p_ids) as n (queue, id)
    where j.name = n.queue and j.id = n.id;
  end loop;
  -- Somebody makes the same jobs just now, over and over. Nothing may be taken for queued that is not.
  raise exception 'The queues % did not take % jobs', array(select distinct unnest(p_queues)), cardinality(p_ids) using errcode = '40001';
end;
$$;
comment on function app.enqueue_all(text[], uuid[], jsonb[], integer[], timestamptz) is
  'The only place that inserts into pgboss.job: makes the rows that boss.send() would make, with the queue''s own settings. A test compares the two.';

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
  perform app.enqueue_all(array[p_queue], array[p_id], array[p_data], array[p_priority], p_start_after);
end;
$$;
comment on function app.enqueue(text, uuid, jsonb, integer, timestamptz) is 'Puts one job into a queue.';

create table app.fair_clocks (
  provider text primary key references app.providers (name) on delete cascade,
  tag bigint not null default 0,
  base bigint not null default 0,
  counted_from timestamptz not null default '-infinity'
);
comment on table app.fair_clocks is 'How far each submit queue has come.';
comment on column app.fair_clocks.tag is 'Its virtual time: the largest tag served so far.';
comment on column app.fair_clocks.base is 'What tags are counted from in the queue, whose priorities have 32 bits: see app.rebase_priorities().';
comment on column app.fair_clocks.counted_from is 'No attempt that is in flight there was claimed earlier. So counting them begins here, behind what is over and cannot be removed from the index while somebody holds an old snapshot.';

create function app.submit_queue(p_provider text) returns text
language plpgsql immutable set search_path = ''
as $$ begin return 'submit-' || p_provider; end; $$;
comment on function app.submit_queue(text) is 'The queue of the attempts that wait for a provider. One each, so that a slow provider keeps nobody waiting for another.';

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

create trigger open_submit_queue
after insert on app.providers
for each row execute function app.open_submit_queue();

insert into app.providers (name, max_in_flight) values ('runware', 200);
insert into app.providers (name, max_in_flight, chooses_task_id, min_poll_seconds, can_cancel) values ('runway', 20, false, 5, true);
insert into app.providers (name, max_in_flight, chooses_task_id, min_poll_seconds) values ('kie', 80, false, 3);

create function app.submission_data(p_job_id uuid) returns jsonb
language plpgsql immutable set search_path = ''
as $$ begin return jsonb_build_object('video_job_id', p_job_id); end; $$;
comment on function app.submission_data(uuid) is 'What the job of an attempt in a submit queue says.';

create function app.submission_priority(p_tag bigint, p_base bigint) returns integer
language plpgsql immutable set search_path = ''
-- pg-boss serves the highest priority first, the smallest tag is the most urgent.
as $$ begin return (-least(p_tag - p_base, 2147483647))::integer; end; $$;
comment on function app.submission_priority(bigint, bigint) is 'Where the fair order puts an attempt with this tag in its submit queue, which counts from this base.';

create function app.rebase_priorities() returns integer
language plpgsql set search_path = ''
-- Orders wait for this while it waits for those under way, and that for two seconds. So it does not insist.
set lock_timeout = '1s'
as $$
declare
  -- Half of what a priority can hold: as much is left for a round of maintenance that finds less to do.
  v_most constant bigint := 1073741824;
  v_clock app.fair_clocks;
  v_rebased integer := 0;
begin
  if not exists (select 1 from app.fair_clocks c where c.tag - c.base > v_most) then
    return 0;
  end if;
  -- Whoever puts work into a queue, or claims it, has read the base and holds a lock until commit.
  lock table app.fair_clocks in access exclusive mode;
  -- pg-boss has not: what it brings back to a queue is a copy, with the priority that it had.
  lock table pgboss.job in share row exclusive mode;
  for v_clock in select c.* from app.fair_clocks c where c.tag - c.base > v_most loop
    update pgboss.job q
    set priority = least(q.priority + (v_clock.tag - v_clock.base), 0)
    where q.name = app.submit_queue(v_clock.provider) and q.state <= 'active';
    update app.fair_clocks c set base = c.tag where c.provider = v_clock.provider;
    v_rebased := v_rebased + 1;
  end loop;
  return v_rebased;
exception when lock_not_available or deadlock_detected then
  return 0;
end;
$$;
comment on function app.rebase_priorities() is
  'Moves the base of submit queues whose clock has come far, and the priorities of what is in them with it, so that the fair order never comes to the end of 32 bits. Tags themselves stay. Returns how many queues; 0 where one is busy, to be called again later.';

create function app.queue_submission(
  p_job_id uuid,
  p_provider text,
  p_lead bigint default 0,
  p_start_after timestamptz default now()
) returns void
language plpgsql set search_path = ''
as $$
declare
  v_priority integer;
begin
  select app.submission_priority(c.tag + p_lead, c.base) into v_priority
  from app.fair_clocks c
  where c.provider = p_provider;
  perform app.enqueue_all(
    array[app.submit_queue(p_provider)], array[p_job_id], array[app.submission_data(p_job_id)],
    array[v_priority], p_start_after
  );
end;
$$;
comment on function app.queue_submission(uuid, text, bigint, timestamptz) is 'Puts one attempt into its provider''s submit queue, in fair order: p_lead gems ahead of the clock, so that much later; 0 for what has waited its turn once.';

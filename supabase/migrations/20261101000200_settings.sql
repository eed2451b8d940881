-- Settings: what an operator may tune without a deployment, and the schema that clients never see.

-- The SQLSTATEs that are ours: GM001 not enough gems, GM002 idempotency key reused, GM004 too many (videos
-- under way, children, projects, consents), GM005 not there, GM006 not possible in this state, GM008 a wrong
-- argument, GM009 append-only, GM010 not sold, GM011 no consent, GM012 more scenes than may ever be under
-- way, GM013 refused or cancelled too often. Over HTTP: shared/http/http_error.ts.

-- Supabase grants new tables and functions in public to every API role by default. Everything made from
-- here on is born closed, so that no moment of a push is open; the access migration opens by name.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
-- What PUBLIC may do by default is set for all schemas at once and cannot be taken back for one.
alter default privileges revoke execute on functions from public;

create schema app;
comment on schema app is 'Internals of Gemreel. Not exposed through the API; only the database owner uses it.';
revoke all on schema app from public;

create function app.refuse_people() returns void
language plpgsql stable set search_path = ''
as $$
begin
  -- The role of the request; who a definer runs as is not asked.
  if current_setting('role', true) in ('anon', 'authenticated') then
    raise exception 'Only the service role may do this' using errcode = '42501';
  end if;
end;
$$;
comment on function app.refuse_people() is
  'Begins what is for the service role alone: 42501 for visitors and users, should a restored database have lost who may execute it.';

create table app.settings (
  only_row boolean primary key default true check (only_row),
  max_attempts integer not null default 3 check (max_attempts between 1 and 10),
  max_claims integer not null default 5 check (max_claims between 1 and 100),
  queue_limit integer not null default 20 check (queue_limit between 1 and 100000),
  project_limit integer not null default 100 check (project_limit between 1 and 100000),
  refusals_per_day integer not null default 20 check (refusals_per_day between 1 and 100000),
  cancellations_per_day integer not null default 500 check (cancellations_per_day between 1 and 100000),
  children_per_user integer not null default 50 check (children_per_user between 1 and 1000),
  projects_per_user integer not null default 50 check (projects_per_user between 1 and 10000),
  premium_weight integer not null default 3 check (premium_weight between 1 and 100),
  cancel_refund_percent integer not null default 0 check (cancel_refund_percent between 0 and 100),
  poll_steps integer[] not null default '{5,10,10,15,20,30}'
    check (
      array_ndims(poll_steps) = 1 and array_lower(poll_steps, 1) = 1 and cardinality(poll_steps) between 1 and 20
      and array_position(poll_steps, null) is null and 0 < all (poll_steps)
    ),
  quiet_percent integer not null default 120 check (quiet_percent between 0 and 500),
  submit_lease_seconds integer not null default 45 check (submit_lease_seconds between 5 and 600),
  poll_lease_seconds integer not null default 60 check (poll_lease_seconds between 5 and 600),
  drain_lease_seconds integer not null default 30 check (drain_lease_seconds between 5 and 600),
  breaker_failures integer not null default 3 check (breaker_failures between 1 and 1000000),
  breaker_seconds integer not null default 15 check (breaker_seconds between 1 and 600),
  unknown_outcome text not null default 'refund' check (unknown_outcome in ('refund', 'retry')),
  notify_attempts integer not null default 12 check (notify_attempts between 1 and 20),
  queued_deadline_minutes integer not null default 240 check (queued_deadline_minutes between 1 and 10080),
  storing_deadline_minutes integer not null default 360 check (storing_deadline_minutes between 1 and 1440),
  storing_patience_minutes integer default 10 check (storing_patience_minutes between 1 and 1440),
  event_retention_days integer not null default 7 check (event_retention_days between 1 and 90),
  video_retention_days integer check (video_retention_days between 1 and 36500)
);
comment on table app.settings is 'One row: the knobs of the system. Change with UPDATE; the next transaction sees it.';
comment on column app.settings.max_attempts is 'Attempts (video jobs) a video gets before it fails for good and the gems come back.';
comment on column app.settings.max_claims is 'Times one attempt may be claimed by a worker that then vanishes before it is given up.';
comment on column app.settings.queue_limit is 'Videos one user may have under way at once, beside the clips of projects.';
comment on column app.settings.project_limit is 'Clips of projects one user may have under way at once. A project with more scenes to make cannot start.';
comment on column app.settings.refusals_per_day is 'Attempts with words, names or pictures of one user that providers may refuse for their content within 24 hours. After that the user orders nothing with such until these are over.';
comment on column app.settings.cancellations_per_day is 'Videos one user may cancel or delete within 24 hours while they are queued, which costs no gems; several times project_limit, since each clip of a project counts. After that the user orders nothing until these are over.';
comment on column app.settings.children_per_user is 'Children one user may have.';
comment on column app.settings.projects_per_user is 'Projects one user may have.';
comment on column app.settings.premium_weight is 'How many turns a premium video gets for each turn of a plain one.';
comment on column app.settings.cancel_refund_percent is 'Share of the price returned when a video is cancelled after it was handed to the provider, who bills us anyway.';
comment on column app.settings.poll_steps is 'Seconds until the 1st, 2nd, ... poll of an attempt; the last one repeats.';
comment on column app.settings.quiet_percent is 'Share of a model''s measured time in which a provider that rings by webhook, was heard within the hour and has not rung is not asked: at each of the poll_steps the progress is estimated instead. 0: asked at every step.';
comment on column app.settings.submit_lease_seconds is 'After that, an attempt whose worker vanished while handing it over is taken up by another.';
comment on column app.settings.poll_lease_seconds is 'After that, an attempt whose worker vanished while asking about it is due again.';
comment on column app.settings.drain_lease_seconds is 'After that, the place of a worker that vanished is free.';
comment on column app.settings.breaker_failures is 'Times in a row that a provider takes nothing of what it is handed until its breaker opens.';
comment on column app.settings.breaker_seconds is 'How long an open breaker lets nothing through at first; twice as long each time, up to ten minutes.';
comment on column app.settings.unknown_outcome is 'What happens to a video when a provider that takes no id of ours may or may not have taken it: refund it, or make a fresh attempt that may be a second purchase.';
comment on column app.settings.event_retention_days is 'How long providers'' raw events and errors are kept.';
comment on column app.settings.video_retention_days is 'Videos that are over are deleted this many days after they were asked for, with their files. Null: kept until their owner deletes them.';
comment on column app.settings.notify_attempts is 'Times a notification is tried at one place: the pauses between them are 5 s, then three times as long each, at most six hours.';
comment on column app.settings.queued_deadline_minutes is 'A video that no provider has taken by then fails and is refunded.';
comment on column app.settings.storing_deadline_minutes is 'A finished video whose file could not be stored by then fails and is refunded; an hour later where nobody has begun to copy it, or somebody is at it.';
comment on column app.settings.storing_patience_minutes is 'Where three files of a provider have been tried in vain for that long, and none that came after them is stored, it is given one attempt in that time and no more. What nobody has tried counts after six times as long, and so does, for that time, what was given up. Null: never.';

insert into app.settings default values;

create table app.providers (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{1,30}$'),
  max_in_flight integer not null check (max_in_flight between 0 and 100000),
  chooses_task_id boolean not null default true,
  can_cancel boolean not null default false,
  render_deadline_minutes integer not null default 30 check (render_deadline_minutes between 1 and 1440),
  min_poll_seconds integer not null default 0 check (min_poll_seconds between 0 and 600),
  failures integer not null default 0 check (failures >= 0),
  paused_until timestamptz,
  pause_reason text
);
comment on table app.providers is 'How much each provider may do for us at once, and whether it is paused (rate limit, empty account, refused key, files that cannot be stored).';

comment on column app.providers.failures is 'Submit calls in a row of which the provider took nothing. From settings.breaker_failures on its breaker is open, or half open once the pause is over. Where its files cannot be stored it is set to that.';
comment on column app.providers.min_poll_seconds is 'Seconds between two polls of one task that the provider asks for, whatever poll_steps says.';
comment on column app.providers.can_cancel is 'True where the provider can be told to stop a task. What is not wanted any more is then written into app.cancellations.';
comment on column app.providers.chooses_task_id is 'True where the task''s id is ours, so that handing an attempt over again cannot buy it twice.';

create table app.model_stats (
  provider text not null references app.providers (name),
  model text not null,
  median_seconds integer not null check (median_seconds > 0),
  samples integer not null check (samples > 0),
  updated_at timestamptz not null default now(),
  primary key (provider, model)
);
comment on table app.model_stats is 'Median seconds from submit to delivery of the newest completed attempts, per model. Feeds progress and the estimated completion.';


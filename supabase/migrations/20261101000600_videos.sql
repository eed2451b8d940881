-- Videos, the attempts to make them, what people see of the progress, and what providers told us. The state
-- machines are drawn in docs/architecture.md; the checks below hold them.

-- The checks of these tables are functions of the whole row: Postgres reads the text of a check anew for
-- each statement that writes to its table, which for long ones is a third of what queueing a video costs.

create function app.is_under_way(p_status text) returns boolean
language plpgsql immutable set search_path = ''
as $$ begin return p_status in ('queued', 'processing', 'rendering'); end; $$;
comment on function app.is_under_way(text) is 'Whether a video of this status is neither completed, failed nor cancelled.';

create function app.is_in_flight(p_status text) returns boolean
language plpgsql immutable set search_path = ''
as $$ begin return p_status in ('claimed', 'processing'); end; $$;
comment on function app.is_in_flight(text) is 'Whether an attempt of this status is claimed by a worker or with the provider.';

create function app.timed_uuid(p_version integer, p_after uuid default null) returns uuid
language plpgsql volatile set search_path = ''
as $$
begin
  return (
    lpad(to_hex(greatest(
      (extract(epoch from clock_timestamp()) * 1000)::bigint,
      ('x' || translate(left(p_after::text, 13), '-', ''))::bit(48)::bigint + 1
    )), 12, '0')
    || '-' || p_version || substr(gen_random_uuid()::text, 16)
  )::uuid;
end;
$$;
comment on function app.timed_uuid(integer, uuid) is
  'A UUID that begins with the time: 48 bits of milliseconds, the version''s digit, 74 random bits. With version 7 it is that of RFC 9562, as Postgres 18 makes them. Rows that are made at one time are neighbours in the indexes then, however many there are. It comes after p_after, whatever the clock says: one may be set back.';

create table public.videos (
  id uuid primary key default app.timed_uuid(7),
  user_id uuid not null references public.users (id) on delete cascade,
  child_id uuid references public.children (id) on delete set null,
  rhyme_id uuid references public.rhymes (id) on delete set null,
  project_id uuid references public.projects (id) on delete set null,
  scene text,
  kind text not null default 'rhyme',
  title text not null,
  prompt text,
  negative_prompt text,
  status text not null default 'queued',
  stage text not null default 'initializing',
  progress smallint not null default 0,
  provider text not null,
  model text not null,
  model_reason text,
  fallbacks jsonb not null default '[]',
  options jsonb not null default '{}',
  avatar_path text,
  gem_cost integer not null,
  is_premium boolean not null default false,
  retry_count smallint not null default 0,
  max_retries smallint not null,
  estimated_completion_at timestamptz not null,
  idempotency_key text,
  input_hash text not null,
  folder text not null default 'videos',
  storage_path text,
  thumbnail_path text,
  duration_seconds numeric(7, 2),
  error_code text,
  error_message text,
  is_favorite boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  rev bigint not null default 1,
  changed_in xid8 not null default pg_current_xact_id(),
  under_way boolean not null generated always as (app.is_under_way(status)) stored
)
-- Room on each page for the next versions of its rows: with no indexed column changed on the way, a
-- video's changes touch no index until it is over.
with (fillfactor = 70);
comment on table public.videos is 'What the user asked and paid for. Changed only by the functions of the database.';
comment on column public.videos.kind is 'One of rhyme, prompt, image, clip.';
comment on column public.videos.status is 'One of queued, processing, rendering, completed, failed, cancelled.';
comment on column public.videos.stage is 'One of initializing, analyzing, generating, rendering, finalizing, completed.';
comment on column public.videos.options is 'What was asked for beside the words: of a rhyme only what differs from its own (duration, width, height, fps, seed); else duration, aspect_ratio, resolution, fps, seed, audio, style, prompting_strategy, first_frame, last_frame, and the content_draft_id of generate-video.';
comment on column public.videos.avatar_path is 'The picture the video starts with, in the bucket "avatars". Signed for the provider when it is handed over.';
comment on column public.videos.folder is 'Where in the owner''s folder of the bucket the file is kept.';
comment on column public.videos.scene is 'Which scene of its project a clip shows.';
comment on column public.videos.prompt is 'The caller''s own words; null for a rhyme, whose prompt is made when it is submitted.';
comment on column public.videos.model_reason is 'Why this provider and model, where the choice was ours.';
comment on column public.videos.fallbacks is 'Who makes it where the provider cannot: [{"provider": …, "model": …}], in order.';
comment on column public.videos.error_message is 'A sentence for people. The provider''s own words are in video_jobs, for the service role.';
comment on column public.videos.estimated_completion_at is 'The estimate given when the video was queued; the live one is in video_progress.';
comment on column public.videos.thumbnail_path is 'The first frame''s picture beside the file; null where there was none to keep.';
comment on column public.videos.rev is 'Grows with every change of the row.';
comment on column public.videos.changed_in is 'The transaction that changed the row last: what videos_since asks for. No index holds it, so that a change touches none.';
comment on column public.videos.under_way is 'Neither completed, failed nor cancelled. Indexes ask for this and not for the status, which changes all the way.';

create function app.is_video(p_video public.videos) returns boolean
language plpgsql immutable set search_path = ''
as $$
begin
  -- Statements in statements: Postgres prepares only those that it comes to, anew in each transaction.
  if p_video.rev = 1 then
    -- What was asked for stays as it is from the first row on.
    if not (
      p_video.kind in ('rhyme', 'prompt', 'image', 'clip')
      and char_length(p_video.title) between 1 and 200
      and coalesce(char_length(p_video.prompt) between 1 and 10000, true)
      and coalesce(char_length(p_video.negative_prompt) between 1 and 10000, true)
      and (p_video.project_id is null or p_video.scene is not null)
      and coalesce(p_video.scene ~ '^[1-9][0-9]{0,3}$', true)
      and jsonb_typeof(p_video.options) = 'object'
      and jsonb_typeof(p_video.fallbacks) = 'array'
      and p_video.folder ~ '^[a-z]+(/[a-z]+)*$'
      and coalesce(char_length(p_video.idempotency_key) between 1 and 255, true)
      and least(p_video.gem_cost, p_video.retry_count, p_video.max_retries) >= 0
    ) then
      return false;
    end if;
  end if;
  case p_video.status
    when 'queued' then
      return p_video.stage = 'initializing' and p_video.progress = 0
        and p_video.completed_at is null and p_video.error_code is null;
    when 'processing' then
      return p_video.stage in ('initializing', 'analyzing', 'generating') and p_video.progress between 0 and 85
        and p_video.completed_at is null and p_video.error_code is null;
    when 'rendering' then
      return p_video.stage in ('rendering', 'finalizing') and p_video.progress between 90 and 99
        and p_video.completed_at is null and p_video.error_code is null;
    when 'completed' then
      return p_video.stage = 'completed' and p_video.progress = 100 and p_video.storage_path is not null
        and p_video.completed_at is not null and p_video.error_code is null;
    when 'failed', 'cancelled' then
      -- Over, wherever it was.
      return p_video.stage in ('initializing', 'analyzing', 'generating', 'rendering', 'finalizing')
        and p_video.progress between 0 and 99 and p_video.completed_at is null
        and (p_video.status = 'failed') = (p_video.error_code is not null and p_video.error_message is not null);
    else
      return false;
  end case;
end;
$$;
comment on function app.is_video(public.videos) is 'Which statuses a video may have, what each of them demands, and what may have been asked for: the check videos_valid.';
alter table public.videos add constraint videos_valid check (app.is_video(videos));

create unique index videos_idempotency_key on public.videos (user_id, idempotency_key) where idempotency_key is not null;
create unique index videos_gallery on public.videos (user_id, created_at desc, id desc);
create index videos_under_way on public.videos (user_id) where under_way;
create index videos_child_id_idx on public.videos (child_id) where child_id is not null;
create index videos_project_id_idx on public.videos (project_id, scene, id desc) where project_id is not null;

create table public.video_jobs (
  -- Runware takes version 4 only.
  id uuid primary key default app.timed_uuid(4),
  video_id uuid not null references public.videos (id) on delete cascade,
  attempt smallint not null,
  provider text not null,
  model text not null,
  status text not null default 'pending',
  priority smallint not null default 1,
  scheduled_at timestamptz not null default now(),
  claim_count smallint not null default 0,
  processing_node text,
  lease_until timestamptz,
  processing_started_at timestamptz,
  submitted_at timestamptz,
  maybe_bought boolean not null default false,
  provider_task_id text,
  deadline_at timestamptz,
  next_poll_at timestamptz,
  poll_count integer not null default 0,
  missing_since timestamptz,
  result_url text,
  cost_usd numeric(12, 6),
  finished_at timestamptz,
  error_code text,
  error_kind text,
  provider_error jsonb,
  created_at timestamptz not null default now(),
  in_flight boolean not null generated always as (app.is_in_flight(status)) stored,
  unique (video_id, attempt)
);
comment on table public.video_jobs is 'One attempt to make a video at one provider. The id is the provider''s task id wherever we may choose it. Service role only.';
comment on column public.video_jobs.priority is '2 for premium, else 1. The order itself is the fair tag in the queue.';
comment on column public.video_jobs.scheduled_at is 'When the attempt may be handed over first, as it was decided when it was made. For the operator: the queue itself goes by its job, and what is held waits longer.';
comment on column public.video_jobs.finished_at is 'Null while it is neither completed, failed nor cancelled.';
comment on column public.video_jobs.in_flight is 'Claimed by a worker or with the provider.';
comment on column public.video_jobs.maybe_bought is 'The provider may have this attempt though it never said so: an answer was lost, or a webhook came first.';
comment on column public.video_jobs.next_poll_at is 'When to ask the provider next. A poller leases an attempt by moving this forward.';
comment on column public.video_jobs.missing_since is 'Since when the provider, whenever it was asked, says that it knows no such task. Null where it said anything else since.';
comment on column public.video_jobs.result_url is 'Where the provider keeps the file until we have copied it. Dies within hours or days.';
comment on column public.video_jobs.provider_error is 'What the provider said, verbatim.';

create function app.is_attempt(p_job public.video_jobs) returns boolean
language plpgsql immutable set search_path = ''
as $$
begin
  if p_job.attempt < 1 or p_job.priority not in (1, 2) or p_job.cost_usd < 0 then
    return false;
  end if;
  if p_job.finished_at is not null then
    return p_job.status in ('completed', 'failed', 'cancelled') and p_job.next_poll_at is null
      and (p_job.status = 'completed') = (p_job.result_url is not null);
  end if;
  case p_job.status
    when 'pending' then
      return p_job.next_poll_at is null and p_job.result_url is null;
    when 'claimed' then
      return p_job.lease_until is not null and p_job.processing_node is not null and p_job.result_url is null;
    when 'processing' then
      return p_job.provider_task_id is not null and p_job.deadline_at is not null and p_job.next_poll_at is not null
        and p_job.result_url is null;
    else
      return false;
  end case;
end;
$$;
comment on function app.is_attempt(public.video_jobs) is 'Which statuses an attempt may have, and what each of them demands: the check video_jobs_valid.';
alter table public.video_jobs add constraint video_jobs_valid check (app.is_attempt(video_jobs));

-- Partial, but not on the statuses: statements that look attempts up by id could use these, too, and
-- do so after a quiet hour, when they are small in Postgres' statistics only.
create unique index video_jobs_one_live on public.video_jobs (video_id) where finished_at is null;
create index video_jobs_in_flight on public.video_jobs (provider, next_poll_at) where in_flight;
create index video_jobs_claimed on public.video_jobs (provider, processing_started_at) where in_flight;
create index video_jobs_stats on public.video_jobs (provider, model, finished_at desc) where status = 'completed';

-- Instead of foreign keys, which would look the provider up for each video and each attempt: there it is
-- known to exist, since its place in the fair order is read.
create function app.keep_used_provider() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if exists (select 1 from public.videos v where v.provider = old.name)
    or exists (select 1 from public.video_jobs j where j.provider = old.name) then
    raise exception 'Provider "%" has videos. Set its max_in_flight to 0 to give it no more', old.name
      using errcode = 'foreign_key_violation';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end;
$$;
comment on function app.keep_used_provider() is 'Keeps a provider under its name for as long as videos or attempts name it.';

create trigger keep_used_provider
before delete or update of name on app.providers
for each row execute function app.keep_used_provider();

create table public.video_progress (
  id bigint generated always as identity,
  video_id uuid not null references public.videos (id) on delete cascade,
  user_id uuid not null,
  attempt smallint not null,
  stage text not null,
  percentage smallint not null,
  message text not null,
  eta_seconds integer,
  created_at timestamptz not null default now(),
  -- In this order it is also the way to a video's newest entry.
  primary key (video_id, id)
);
comment on table public.video_progress is 'Progress entries for people: one when the stage changes or progress moved by 5. The newest by id is the current one. What a stage may show is checked where it comes from, in videos.';
comment on column public.video_progress.user_id is 'The video''s user, for row-level security. No foreign key of its own: the entry goes with its video.';

create table public.provider_events (
  id bigint generated always as identity primary key,
  provider text not null references app.providers (name),
  video_job_id uuid not null,
  hash text not null unique,
  payload jsonb not null,
  received_at timestamptz not null default now()
);
comment on table public.provider_events is 'Raw webhook inbox. An event only makes its attempt due; what counts is what the provider answers when asked. Service role only.';
create index provider_events_job_idx on public.provider_events (video_job_id);
create index provider_events_received_at_idx on public.provider_events (received_at);
create index provider_events_provider_idx on public.provider_events (provider, received_at);

create table public.unknown_outcomes (
  video_job_id uuid primary key,
  video_id uuid not null,
  provider text not null references app.providers (name),
  model text not null,
  provider_task_id text,
  provider_state text,
  provider_error jsonb,
  happened_at timestamptz not null default now(),
  resolved_at timestamptz,
  resolution text check (char_length(resolution) <= 1000)
);
comment on column public.unknown_outcomes.provider_task_id is 'The provider''s id of the task, where it was heard of: when it was taken, or from a callback.';
comment on column public.unknown_outcomes.provider_state is 'How a callback says that it stands: processing, succeeded or failed. For the operator; nothing else believes it.';
comment on table public.unknown_outcomes is 'Attempts that a provider may have taken and billed, and nobody knows, or has made in a form that we cannot read (result_unreadable). Look them up at the provider, then fill resolved_at and resolution. Service role only.';
create index unknown_outcomes_open on public.unknown_outcomes (happened_at) where resolved_at is null;
create index unknown_outcomes_provider_idx on public.unknown_outcomes (provider);
create index unknown_outcomes_video_id_idx on public.unknown_outcomes (video_id);

create function app.files_of(p_video public.videos) returns text
language plpgsql stable set search_path = ''
as $$ begin return p_video.user_id || '/' || p_video.folder || '/' || p_video.id || '.'; end; $$;
comment on function app.files_of(public.videos) is
  'What the paths of a video''s files in the bucket "videos" begin with, in its owner''s folder; their endings follow.';

create function app.touch_video() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if old.status in ('completed', 'failed', 'cancelled') and new.status <> old.status then
    raise exception 'Video % is % and cannot become %', old.id, old.status, new.status using errcode = 'GM006';
  end if;
  new.updated_at := clock_timestamp();
  new.rev := old.rev + 1;
  new.changed_in := pg_current_xact_id();
  return new;
end;
$$;
comment on function app.touch_video() is 'Final states never change; every change moves rev, changed_in and updated_at.';

create trigger touch_video
before update on public.videos
for each row execute function app.touch_video();

create function app.failure_message(p_code text) returns text
language plpgsql immutable set search_path = ''
as $$
begin
  -- Of a time that is over the functions say the same when a provider tells of it (failure_messages.ts).
  return case p_code
    when 'timed_out' then 'This video took too long to make. Please try again.'
    when 'not_started' then 'It took too long before your video could be started. Please try again later.'
    when 'worker_lost' then 'Something went wrong on our side. Please try again.'
    when 'consent_withdrawn' then 'The permission to use this child''s picture was withdrawn, so the video was not made.'
    when 'storing_failed' then 'The video was made but could not be saved. Please try again.'
  end;
end;
$$;
comment on function app.failure_message(text) is
  'Why a video failed, for people: of the error codes that the database gives by itself. The others come with their sentences from the functions.';

create function app.stage_message(p_stage text, p_percentage integer) returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return case p_stage
    when 'initializing' then case when p_percentage = 0 then 'Waiting for a free easel…' else 'Setting up the studio…' end
    when 'analyzing' then 'Reading your story…'
    when 'generating' then case
      when p_percentage < 40 then 'Sketching the characters…'
      when p_percentage < 65 then 'Painting the scenes…'
      else 'Bringing it all to life…'
    end
    when 'rendering' then 'Collecting your video…'
    when 'finalizing' then 'Wrapping it up…'
    when 'completed' then 'Your video is ready!'
  end;
end;
$$;
comment on function app.stage_message(text, integer) is 'What a child and a parent read while they wait.';

create function app.add_progress(
  p_video_id uuid,
  p_user_id uuid,
  p_attempt integer,
  p_stage text,
  p_percentage integer,
  p_eta_seconds integer,
  p_message text default null
) returns void
language plpgsql set search_path = ''
as $$
begin
  insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, eta_seconds)
  values (
    p_video_id, p_user_id, p_attempt, p_stage, p_percentage,
    coalesce(p_message, app.stage_message(p_stage, p_percentage)), p_eta_seconds
  );
end;
$$;
comment on function app.add_progress(uuid, uuid, integer, text, integer, integer, text) is 'One progress entry; the message is the stage''s own unless given.';

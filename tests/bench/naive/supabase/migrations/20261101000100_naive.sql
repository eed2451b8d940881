-- The tables of the usual design: state is columns, and functions over the REST API change them.

create table public.users (
  id uuid primary key references auth.users (id) on delete cascade,
  gem_balance integer not null default 0 check (gem_balance >= 0)
);

create table public.children (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  name text not null,
  avatar_url text
);
create index children_user_id_idx on public.children (user_id);

create table public.rhymes (
  id uuid primary key default gen_random_uuid(),
  title text not null,
  gem_cost integer not null,
  is_premium boolean not null default false,
  prompt_template text not null
);

create table public.videos (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  child_id uuid references public.children (id) on delete set null,
  rhyme_id uuid references public.rhymes (id) on delete set null,
  status text not null default 'queued'
    check (status in ('queued', 'processing', 'rendering', 'completed', 'failed', 'cancelled')),
  stage text not null default 'initializing',
  progress smallint not null default 0,
  provider_task_id text,
  model text not null default 'pixverse:1@5',
  webhook_url text,
  video_url text,
  thumbnail_url text,
  error_message text,
  retry_count smallint not null default 0,
  max_retries smallint not null default 3,
  estimated_completion_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index videos_user_id_idx on public.videos (user_id, created_at desc);
create index videos_child_id_idx on public.videos (child_id);
create index videos_rhyme_id_idx on public.videos (rhyme_id);
create index videos_provider_task_id_idx on public.videos (provider_task_id);
create index videos_status_idx on public.videos (status);

create table public.video_jobs (
  id uuid primary key default gen_random_uuid(),
  video_id uuid not null references public.videos (id) on delete cascade,
  priority smallint not null default 1,
  status text not null default 'pending'
    check (status in ('pending', 'claimed', 'processing', 'completed', 'failed')),
  processing_node text,
  scheduled_at timestamptz not null default now(),
  processing_started_at timestamptz,
  created_at timestamptz not null default now()
);
create index video_jobs_video_id_idx on public.video_jobs (video_id);
create index video_jobs_pending_idx on public.video_jobs (priority desc, scheduled_at) where status = 'pending';

create table public.video_progress (
  id bigint generated always as identity primary key,
  video_id uuid not null references public.videos (id) on delete cascade,
  stage text not null,
  percentage smallint not null,
  message text not null,
  eta_seconds integer,
  created_at timestamptz not null default now()
);
create index video_progress_video_id_idx on public.video_progress (video_id, id desc);

create table public.notifications (
  id bigint generated always as identity primary key,
  user_id uuid not null references public.users (id) on delete cascade,
  video_id uuid not null references public.videos (id) on delete cascade,
  title text not null,
  data jsonb not null,
  created_at timestamptz not null default now()
);
create index notifications_user_id_idx on public.notifications (user_id);
create index notifications_video_id_idx on public.notifications (video_id);

create function public.create_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.users (id) values (new.id) on conflict (id) do nothing;
  return new;
end;
$$;
create trigger create_user after insert on auth.users for each row execute function public.create_user();

alter table public.users enable row level security;
alter table public.children enable row level security;
alter table public.rhymes enable row level security;
alter table public.videos enable row level security;
alter table public.video_jobs enable row level security;
alter table public.video_progress enable row level security;
alter table public.notifications enable row level security;

insert into public.rhymes (id, title, gem_cost, prompt_template)
values (
  '10000000-0000-4000-8000-000000000001', 'Twinkle, Twinkle, Little Star', 10,
  '{child} sits on a sleepy paper moon in warm pyjamas and waves at one small star above the rooftops.'
);

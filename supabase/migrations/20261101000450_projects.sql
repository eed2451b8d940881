-- Projects: scenes given by pairs of pictures, each of which becomes a clip.

create table public.projects (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  title text not null default 'My project' check (char_length(title) between 1 and 120),
  -- A hundred scenes with signed links. Nobody pays for keeping them.
  frames jsonb not null default '{}' check (jsonb_typeof(frames) = 'object' and pg_column_size(frames) < 131072),
  clips jsonb not null default '{}' check (jsonb_typeof(clips) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table public.projects is 'A story in scenes. Owners write title and frames; the clips are kept by the database.';
comment on column public.projects.frames is 'Scenes by number: {"1": {"first_frame": url, "last_frame": url, "duration": seconds, "prompt": text}, …}; duration and prompt may be absent.';
comment on column public.projects.clips is 'The newest clip of each scene: {video id: path in Storage | "pending" | "failed"}. A path and no link, since links expire; check-clips-status answers the map with links.';
create index projects_user_id_idx on public.projects (user_id, created_at desc);

-- Users and their children.

create table public.users (
  id uuid primary key references auth.users (id) on delete cascade,
  gem_balance integer not null default 0 check (gem_balance >= 0),
  tier text not null default 'free' check (tier in ('free', 'premium')),
  fair_tag bigint not null default 0,
  fair_provider text,
  created_at timestamptz not null default now()
)
-- Room for the next versions of a row on its page: a balance changes often, and no index with it.
with (fillfactor = 70);
comment on table public.users is 'One row per signed-up user. gem_balance always equals the sum of the user''s gem entries.';
comment on column public.users.fair_tag is 'Start-time fair queueing: the tag of this user''s newest queued video. See docs/adr/0004-fair-queueing.md.';
comment on column public.users.fair_provider is 'In whose queue that is: each has a clock of its own.';

create table public.children (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  name text not null check (char_length(btrim(name)) between 1 and 60 and name !~ '[[:cntrl:]]'),
  avatar_path text,
  created_at timestamptz not null default now(),
  constraint children_avatar_path check (
    avatar_path ~ ('^' || user_id::text || '/' || id::text || '\.(png|jpg|jpeg|webp)$')
  )
);
comment on table public.children is 'The child who stars in the video. Owned and edited by the parent.';
comment on column public.children.avatar_path is 'The child''s picture in the private bucket "avatars": <user_id>/<child_id>.png (or jpg, jpeg, webp). Used only with consent.';
create index children_user_id_idx on public.children (user_id);

create function app.create_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.users (id) values (new.id) on conflict (id) do nothing;
  return new;
end;
$$;
comment on function app.create_user() is 'Gives every new auth user a row in public.users. Definer, because the sign-up role may not write there.';

create function app.follow_sign_ups() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  create or replace trigger create_user
  after insert on auth.users
  for each row execute function app.create_user();
  -- Whoever signed up before.
  insert into public.users (id) select a.id from auth.users a on conflict (id) do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function app.follow_sign_ups() is
  'Gives each auth user a row in public.users, those that are there and those to come. Returns how many had none. Run again after a restore: the trigger is on a table that the platform brings.';

select app.follow_sign_ups();

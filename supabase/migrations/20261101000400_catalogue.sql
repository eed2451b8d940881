-- The catalogue: rhymes with their price and how they are made, and what models cost where the caller picks one.

create table public.rhymes (
  id uuid primary key default gen_random_uuid(),
  slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  title text not null check (char_length(title) between 1 and 120),
  gem_cost integer not null check (gem_cost between 0 and 1000000),
  is_premium boolean not null default false,
  is_active boolean not null default true,
  prompt_template text not null check (char_length(prompt_template) between 2 and 2000),
  negative_prompt text check (char_length(negative_prompt) between 2 and 1000),
  style text check (char_length(style) between 1 and 200),
  video_template_url text check (char_length(video_template_url) <= 2048 and video_template_url ~ '^https://'),
  provider text not null default 'runware' references app.providers (name),
  model text not null default 'pixverse:1@5',
  duration_seconds numeric(5, 1) not null default 8 check (duration_seconds > 0 and duration_seconds <= 600),
  width integer not null default 1920 check (width between 64 and 8192),
  height integer not null default 1080 check (height between 64 and 8192),
  fallbacks jsonb not null default '[]' check (jsonb_typeof(fallbacks) = 'array'),
  created_at timestamptz not null default now()
);
comment on table public.rhymes is 'The catalogue. Price, prompt and model are decided here and never by the client.';
comment on column public.rhymes.gem_cost is 'Price of one video, in gems.';
comment on column public.rhymes.prompt_template is 'Prompt with the placeholders {child}, {title} and {style}.';
comment on column public.rhymes.is_premium is 'Premium rhymes (and premium users) go first: their videos weigh more in the queue.';
comment on column public.rhymes.fallbacks is 'Who makes it where the provider cannot: [{"provider": …, "model": …}], in order. At no extra gems.';
create index rhymes_provider_idx on public.rhymes (provider);

create table app.prices (
  provider text not null references app.providers (name),
  model text not null check (char_length(model) between 1 and 100),
  resolution text not null default '' check (char_length(resolution) <= 20),
  gems_per_second numeric(8, 3) not null check (gems_per_second > 0 and gems_per_second < 'NaN'),
  gems_per_second_with_sound numeric(8, 3) check (gems_per_second_with_sound > 0 and gems_per_second_with_sound < 'NaN'),
  primary key (provider, model, resolution)
);
comment on table app.prices is 'What a second of video costs in gems, where the caller picks the model. A model without a row is not sold. Resolution is empty where the model has only one or takes it from a picture.';
comment on column app.prices.gems_per_second_with_sound is 'What it costs where sound is asked for. Null: not sold with sound.';

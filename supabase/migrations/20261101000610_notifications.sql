-- What a user is told, and how it travels.

create table public.notifications (
  id bigint generated always as identity primary key,
  user_id uuid not null references public.users (id) on delete cascade,
  video_id uuid not null references public.videos (id) on delete cascade,
  kind text not null check (kind in ('video_ready', 'video_failed')),
  title text not null,
  body text not null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  unique (video_id, kind)
);
comment on table public.notifications is 'What the user is told, once, written with the change it speaks of. How it travels is in notification_deliveries.';
create index notifications_user_id_idx on public.notifications (user_id, id desc);

create table public.notification_deliveries (
  id uuid primary key default gen_random_uuid(),
  notification_id bigint not null references public.notifications (id) on delete cascade,
  channel text not null check (channel in ('fcm', 'web_push', 'webhook')),
  device_id uuid,
  status text not null default 'pending' check (status in ('pending', 'sent', 'failed', 'skipped')),
  attempts smallint not null default 0 check (attempts >= 0),
  error_code text check (char_length(error_code) between 1 and 100),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique nulls not distinct (notification_id, channel, device_id),
  constraint notification_deliveries_device check ((channel = 'webhook') = (device_id is null)),
  constraint notification_deliveries_final check ((status = 'pending') = (finished_at is null))
);
comment on table public.notification_deliveries is 'Outbox: one row for each device of the user, and one for the app''s own backend. The id goes with the message, so that whoever receives it twice can tell. Service role only.';
comment on column public.notification_deliveries.device_id is 'Which device it is for. No foreign key: a device that goes must neither wait for a sender nor take the record with it.';
comment on column public.notification_deliveries.error_code is 'Why it was not sent, or not yet. A code of ours: never what a service answered, and no address.';
create index notification_deliveries_pending on public.notification_deliveries (created_at) where status = 'pending';

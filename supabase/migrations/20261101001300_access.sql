-- Who may do what. Everything is closed first, then opened by name; later migrations open what they add.

-- Whatever was granted before our migrations set the defaults.
revoke all on all tables in schema public from public, anon, authenticated, service_role;
revoke all on all sequences in schema public from public, anon, authenticated, service_role;
revoke all on all functions in schema public from public, anon, authenticated, service_role;
revoke all on all tables in schema app from public, anon, authenticated, service_role;
revoke all on all functions in schema app from public, anon, authenticated, service_role;
revoke all on schema pgboss from public, anon, authenticated, service_role;
revoke all on all tables in schema pgboss from public, anon, authenticated, service_role;
revoke all on all functions in schema pgboss from public, anon, authenticated, service_role;

alter table public.users enable row level security;
alter table public.children enable row level security;
alter table public.rhymes enable row level security;
alter table public.projects enable row level security;
alter table public.gem_entries enable row level security;
alter table public.videos enable row level security;
alter table public.video_jobs enable row level security;
alter table public.video_progress enable row level security;
alter table public.provider_events enable row level security;
alter table public.unknown_outcomes enable row level security;
alter table public.notifications enable row level security;
alter table public.notification_deliveries enable row level security;
-- video_jobs, provider_events, unknown_outcomes and notification_deliveries have no policy, on purpose: nobody
-- but the service role, which is above policies, has business there.

-- Clients read what is theirs.
grant select on public.users, public.children, public.gem_entries, public.videos, public.video_progress,
  public.notifications to authenticated;
grant select on public.rhymes to anon, authenticated;

create policy "Users see themselves" on public.users for select to authenticated using (id = (select auth.uid()));
create policy "Users see their entries" on public.gem_entries for select to authenticated using (user_id = (select auth.uid()));
create policy "Users see their videos" on public.videos for select to authenticated using (user_id = (select auth.uid()));
create policy "Users see their progress" on public.video_progress for select to authenticated using (user_id = (select auth.uid()));
create policy "Users see their notifications" on public.notifications for select to authenticated using (user_id = (select auth.uid()));
create policy "Everyone sees the catalogue" on public.rhymes for select to anon, authenticated using (is_active);

-- Clients write their children, and begin projects. Videos and projects, which workers lock, they change by
-- functions that name one row: a filter that takes its time would hold the row, and every batch that wants it.
-- Their devices are in the notify migration.
grant insert (user_id, name), update (name, avatar_path) on public.children to authenticated;
create policy "Parents see their children" on public.children for select to authenticated using (user_id = (select auth.uid()));
create policy "Parents add their children" on public.children for insert to authenticated with check (user_id = (select auth.uid()));
create policy "Parents change their children" on public.children for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

grant select, insert (user_id, title, frames) on public.projects to authenticated;
create policy "Users see their projects" on public.projects for select to authenticated using (user_id = (select auth.uid()));
create policy "Users add their projects" on public.projects for insert to authenticated with check (user_id = (select auth.uid()));

-- The service role (the edge functions, the operator) reads everything and edits the catalogue;
-- gems, videos and attempts change only through the functions below.
grant select on all tables in schema public to service_role;
grant insert, update on public.rhymes to service_role;
grant insert, update, delete on public.children to service_role;
grant update (resolved_at, resolution) on public.unknown_outcomes to service_role;
-- Who is premium is decided by your shop.
grant update (tier) on public.users to service_role;
grant execute on function public.grant_gems(uuid, integer, text, text, text) to service_role;
grant execute on function public.queue_video(uuid, jsonb, text, integer, text) to service_role;
grant execute on function public.queue_videos(jsonb, boolean) to service_role;
grant execute on function public.quote_video(uuid, jsonb) to service_role;
grant execute on function public.price_list() to service_role;
grant execute on function public.cancel_video(uuid, uuid) to service_role;
grant execute on function public.video_status(uuid, uuid[]) to service_role;
grant execute on function public.videos_under_way(uuid) to service_role;
grant execute on function public.video_changes(uuid[], bigint[]) to service_role;
grant execute on function public.record_provider_events(text, jsonb) to service_role;
grant execute on function public.health_report() to service_role;

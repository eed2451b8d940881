-- After a dump was restored into another project: the last file of psql (docs/backup.md). What is on
-- tables of the platform is in no dump of ours, and transaction numbers begin anew.

-- Whatever came along is older than all that follows. No app goes on from before: see videos_since.
set session_replication_role = replica;
update public.videos set changed_in = pg_current_xact_id();
delete from public.deleted_videos;
delete from app.change_marks;
reset session_replication_role;

select app.follow_sign_ups() as sign_ups_without_an_account;
select app.open_videos_bucket();
select app.open_avatars_bucket();
select app.open_channel() as realtime_is_there;
select app.schedule_cron() as cron_looks_every;

-- In one transaction with the rest nothing is restored rather than that.
do $$
declare
  v_door text;
begin
  select o into v_door from app.open_doors() o limit 1;
  if found then
    raise exception '%', v_door using hint = 'supabase/restore/before.sql has to be the first --file: see docs/backup.md';
  end if;
end;
$$;

-- Telling a provider that a task is not wanted any more. A transaction cannot call anybody, so it is
-- written down where the attempt ends, and the poller tells the provider afterwards, as often as it takes.

create table app.cancellations (
  video_job_id uuid primary key,
  provider text not null references app.providers (name),
  provider_task_id text not null,
  created_at timestamptz not null default now(),
  try_at timestamptz not null default now(),
  tries integer not null default 0
);
comment on table app.cancellations is 'Outbox: tasks that a provider has and is to stop. No foreign key to the attempt: its video may be deleted, and the task is there all the same.';
create index cancellations_due on app.cancellations (provider, try_at);

create function app.cancel_task() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  -- By whoever ends it. An end that the provider told of leaves nothing to stop.
  if old.status = 'processing'
    and (tg_op = 'DELETE' or new.status = 'cancelled' or (new.status = 'failed' and new.error_code in ('deadline', 'unknown_outcome'))) then
    insert into app.cancellations (video_job_id, provider, provider_task_id)
    select old.id, old.provider, old.provider_task_id
    from app.providers p
    where p.name = old.provider and p.can_cancel
    on conflict (video_job_id) do nothing;
  end if;
  return null;
end;
$$;
comment on function app.cancel_task() is 'Has the provider stop what it is making of an attempt, where it can. Definer, because whoever may delete a user may not write here.';

-- Postgres reads the text of a condition anew for each statement that writes to its table. This short one
-- spares the attempts that are delivered the call.
create trigger cancel_task
after update of status on public.video_jobs
for each row when (new.finished_at is not null and new.result_url is null)
execute function app.cancel_task();

create trigger cancel_deleted_task
after delete on public.video_jobs
for each row execute function app.cancel_task();

create function app.due_cancellations(p_provider text, p_limit integer)
returns table (video_job_id uuid, provider_task_id text, is_last boolean)
language sql set search_path = ''
as $$
  with due as (
    select c.video_job_id
    from app.cancellations c
    where c.provider = p_provider and c.try_at <= clock_timestamp()
    order by c.try_at
    limit p_limit
    for update skip locked
  )
  update app.cancellations c
  set tries = c.tries + 1,
    try_at = clock_timestamp() + least(60 * 2 ^ least(c.tries, 6), 3600) * interval '1 second'
  from due
  where c.video_job_id = due.video_job_id
  returning c.video_job_id, c.provider_task_id, c.tries >= 8;
$$;
comment on function app.due_cancellations(text, integer) is
  'Leases tasks that the provider is to be told to stop. Whoever takes them and dies loses nothing: they are due again, later each time, and a task that was stopped already is not known any more. is_last: after this try it is given up, about two hours after the first.';

create function app.finish_cancellations(p_job_ids uuid[]) returns void
language sql set search_path = ''
as $$
  delete from app.cancellations c where c.video_job_id = any (p_job_ids);
$$;
comment on function app.finish_cancellations(uuid[]) is 'The provider has stopped these, does not know them, or is not told again.';

-- The private bucket of finished videos. Paths start with the owner's id.

insert into storage.buckets (id, name, public)
values ('videos', 'videos', false)
on conflict (id) do nothing;

create policy "Users read their own videos" on storage.objects for select to authenticated
  using (
    bucket_id = 'videos'
    and (storage.foldername(name))[1] = (select auth.uid())::text
    -- Not what was copied for a video that failed after all and was refunded.
    and exists (
      select 1 from public.videos v
      where v.user_id = (select auth.uid()) and v.status = 'completed' and v.storage_path = name
    )
  );

-- The private bucket of finished videos and their thumbnails. Paths start with the owner's id.

create function app.open_videos_bucket() returns void
language plpgsql set search_path = ''
as $$
begin
  -- The size is that of shared/storage/media_types.ts. The project's own limit counts too and may be lower.
  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
  values ('videos', 'videos', false, 500000000, '{video/mp4,image/jpeg,image/png,image/webp}')
  on conflict (id) do nothing;

  drop policy if exists "Users read their own videos" on storage.objects;
  create policy "Users read their own videos" on storage.objects for select to authenticated
    using (
      bucket_id = 'videos'
      and (storage.foldername(name))[1] = (select auth.uid())::text
      -- Not what was copied for a video that failed after all and was refunded.
      and exists (
        select 1 from public.videos v
        -- The one video whose id is the object's name, and not all of its owner's.
        where v.id = substring(name from '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.][a-z0-9]+$')::uuid
          and v.user_id = (select auth.uid()) and v.status = 'completed' and name in (v.storage_path, v.thumbnail_path)
      )
    );
end;
$$;
comment on function app.open_videos_bucket() is 'Makes the bucket "videos" and lets users read what is theirs in it. Run again after a restore: the policy is on a table that the platform brings.';

select app.open_videos_bucket();

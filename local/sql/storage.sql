-- Who may touch the storage tables before any policy: as on hosted Supabase everybody, so that
-- row level security alone decides.
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant execute on all functions in schema storage to anon, authenticated, service_role;

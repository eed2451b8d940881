-- Before a dump is restored into another project: the first file of psql (docs/backup.md).

-- pg_dump writes no REVOKE, and a new project's defaults hand every table and function that is made in
-- public to each API role, grant_gems included. As in the settings migration, all is born closed; the
-- dump's own grants open what is to be open.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;

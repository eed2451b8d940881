-- Consent: a parent's recorded word that a child's name and picture may be handed to a provider, and
-- the private bucket that the pictures are in.

create table public.consent_texts (
  id text primary key check (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  body text not null check (char_length(body) between 20 and 20000),
  published_at timestamptz not null default now(),
  is_current boolean not null default true
);
comment on table public.consent_texts is 'What parents agree to, word for word. The app shows the current one. A text that somebody agreed to is never changed: a new one is added.';
alter table public.consent_texts enable row level security;
create policy "Everyone reads the consent texts" on public.consent_texts for select to anon, authenticated using (true);
grant select on public.consent_texts to anon, authenticated;
grant select, insert, update (is_current) on public.consent_texts to service_role;

insert into public.consent_texts (id, body) values (
  'child-in-videos-1',
  'I am a parent or guardian of this child. I agree that the child''s first name and picture are handed to the companies that make the videos I order, for no other purpose than to make them. I can withdraw this at any time; what is made already stays mine, and nothing new is made with them.'
);

create table public.consents (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  child_id uuid not null references public.children (id) on delete cascade,
  text_id text not null references public.consent_texts (id),
  text_sha256 text not null check (text_sha256 ~ '^[0-9a-f]{64}$'),
  given_at timestamptz not null default now(),
  withdrawn_at timestamptz check (withdrawn_at >= given_at)
);
comment on table public.consents is 'Who agreed to which text about which child, when, and when it was withdrawn. Only ever added to; withdrawing is the one change. Gone with the child or the account.';
comment on column public.consents.text_sha256 is 'SHA-256 of the text''s body (UTF-8) as it stood that moment.';
create unique index consents_one_open on public.consents (child_id, text_id) where withdrawn_at is null;
create index consents_child_id_idx on public.consents (child_id);
create index consents_user_id_idx on public.consents (user_id);
create index consents_text_id_idx on public.consents (text_id);
alter table public.consents enable row level security;
create policy "Parents see their consents" on public.consents for select to authenticated using (user_id = (select auth.uid()));
grant select on public.consents to authenticated, service_role;

create function app.guard_consent() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if old.withdrawn_at is null and new.withdrawn_at is not null
    and (to_jsonb(new) - 'withdrawn_at') = (to_jsonb(old) - 'withdrawn_at') then
    return new;
  end if;
  raise exception 'A consent can be withdrawn and not otherwise changed' using errcode = 'GM009';
end;
$$;
comment on function app.guard_consent() is 'Keeps public.consents append-only, for every role.';

create trigger guard_consent
before update on public.consents
for each row execute function app.guard_consent();

create function app.has_consent(p_child_id uuid) returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return (
    select exists (select 1 from public.consents c where c.child_id = p_child_id and c.withdrawn_at is null)
  );
end;
$$;
comment on function app.has_consent(uuid) is 'Whether the child''s name and picture may be handed to a provider now.';

create function app.check_avatar(p_user_id uuid, p_child_id uuid, p_avatar_path text) returns void
language plpgsql stable set search_path = ''
as $$
begin
  if not app.has_consent(p_child_id) then
    raise exception 'Please agree first that this child''s picture may be used for videos'
      using errcode = 'GM011', detail = '{"field": "child_id"}';
  end if;
  if not starts_with(p_avatar_path, p_user_id || '/' || p_child_id || '.')
    or not exists (select 1 from storage.objects o where o.bucket_id = 'avatars' and o.name = p_avatar_path) then
    raise exception 'There is no such picture of this child' using errcode = 'GM005', detail = '{"field": "avatar_url"}';
  end if;
end;
$$;
comment on function app.check_avatar(uuid, uuid, text) is
  'Whether a video of this child may start with this picture. GM011 without consent, GM005 where it is not this child''s or not there.';

create function app.own_child(p_child_id uuid) returns public.children
language plpgsql stable set search_path = ''
as $$
declare
  v_child public.children;
begin
  select c.* into v_child from public.children c where c.id = p_child_id and c.user_id = (select auth.uid());
  if not found then
    raise exception 'No child with id %', coalesce('"' || p_child_id || '"', 'null')
      using errcode = 'GM005', detail = '{"field": "p_child_id"}';
  end if;
  return v_child;
end;
$$;
comment on function app.own_child(uuid) is 'The caller''s child. GM005 where it is not theirs.';

create function public.give_consent(p_child_id uuid, p_text_id text) returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  v_child public.children := app.own_child(p_child_id);
  v_text public.consent_texts;
  v_id uuid;
begin
  select t.* into v_text from public.consent_texts t where t.id = p_text_id and t.is_current;
  if not found then
    raise exception 'No current text with id %', coalesce('"' || p_text_id || '"', 'null')
      using errcode = 'GM005', detail = '{"field": "p_text_id"}';
  end if;
  -- Two at once are counted one after the other.
  perform 1 from public.children c where c.id = p_child_id for no key update;
  if not found then
    -- Forgotten meanwhile: there is no such child.
    v_child := app.own_child(p_child_id);
  end if;
  insert into public.consents (user_id, child_id, text_id, text_sha256)
  values (v_child.user_id, v_child.id, v_text.id, encode(sha256(convert_to(v_text.body, 'UTF8')), 'hex'))
  on conflict (child_id, text_id) where withdrawn_at is null do nothing
  returning id into v_id;
  if v_id is not null and (select count(*) from public.consents c where c.child_id = p_child_id) > 100 then
    raise exception 'Consent for this child was given and withdrawn too often. Remove the child and add it again'
      using errcode = 'GM004', detail = '{"limit": 100}';
  end if;
  return coalesce(
    v_id,
    (select c.id from public.consents c where c.child_id = p_child_id and c.text_id = p_text_id and c.withdrawn_at is null)
  );
end;
$$;
comment on function public.give_consent(uuid, text) is
  'Records that the caller agrees to a current text about their child; the same again is the same consent. Returns its id. GM005 no such child or text, GM004 where a hundred consents about this child are on record. Definer, so that when and to what is not the client''s to say.';

create function public.withdraw_consent(p_child_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  v_child public.children := app.own_child(p_child_id);
begin
  update public.consents c
  -- Given by a clock that was set back since, it is withdrawn all the same.
  set withdrawn_at = greatest(c.given_at, clock_timestamp())
  where c.child_id = v_child.id and c.withdrawn_at is null;
end;
$$;
comment on function public.withdraw_consent(uuid) is
  'Withdraws every consent about the caller''s child. Videos that wait to be handed over with the picture fail and are refunded; what a provider has already goes on. GM005 no such child.';

grant execute on function public.give_consent(uuid, text) to authenticated;
grant execute on function public.withdraw_consent(uuid) to authenticated;

create function public.is_own_avatar(p_name text) returns boolean
language sql stable set search_path = ''
as $$
  select exists (
    select 1 from public.children c
    where c.user_id = (select auth.uid())
      and p_name ~ '^[0-9a-f-]{36}/[0-9a-f-]{36}\.(png|jpg|jpeg|webp)$'
      and starts_with(p_name, c.user_id || '/' || c.id || '.')
  );
$$;
comment on function public.is_own_avatar(text) is 'Whether an object''s name is that of a picture of one of the caller''s children: <user_id>/<child_id>.png. For Storage''s policies.';
grant execute on function public.is_own_avatar(text) to authenticated;

create function app.open_avatars_bucket() returns void
language plpgsql set search_path = ''
as $$
begin
  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
  values ('avatars', 'avatars', false, 5000000, '{image/png,image/jpeg,image/webp}')
  on conflict (id) do nothing;

  drop policy if exists "Parents see their children's pictures" on storage.objects;
  drop policy if exists "Parents add their children's pictures" on storage.objects;
  drop policy if exists "Parents replace their children's pictures" on storage.objects;
  drop policy if exists "Parents remove their children's pictures" on storage.objects;
  create policy "Parents see their children's pictures" on storage.objects for select to authenticated
    using (bucket_id = 'avatars' and public.is_own_avatar(name));
  create policy "Parents add their children's pictures" on storage.objects for insert to authenticated
    with check (bucket_id = 'avatars' and public.is_own_avatar(name));
  create policy "Parents replace their children's pictures" on storage.objects for update to authenticated
    using (bucket_id = 'avatars' and public.is_own_avatar(name)) with check (bucket_id = 'avatars' and public.is_own_avatar(name));
  create policy "Parents remove their children's pictures" on storage.objects for delete to authenticated
    using (bucket_id = 'avatars' and public.is_own_avatar(name));
end;
$$;
comment on function app.open_avatars_bucket() is 'Makes the bucket "avatars" and lets parents keep their children''s pictures in it. Run again after a restore: the policies are on a table that the platform brings.';

select app.open_avatars_bucket();

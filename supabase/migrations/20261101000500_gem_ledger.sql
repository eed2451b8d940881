-- The gem ledger: append-only entries, one guarded balance, one way to move gems.

create table public.gem_entries (
  id bigint generated always as identity primary key,
  user_id uuid references public.users (id) on delete set null,
  amount integer not null,
  kind text not null,
  video_id uuid,
  reason text not null,
  idempotency_key text,
  balance_after integer not null,
  created_at timestamptz not null default now()
);
comment on table public.gem_entries is 'The ledger. Rows are only ever added; users.gem_balance is their sum. A deleted video takes its title with it, a deleted account its id, words and keys.';
comment on column public.gem_entries.kind is 'One of grant, purchase, charge, refund, adjustment.';
comment on column public.gem_entries.video_id is 'The video charged or refunded. No foreign key: the ledger outlives the video.';

create function app.is_gem_entry(p_entry public.gem_entries) returns boolean
language plpgsql immutable set search_path = ''
as $$
begin
  return case p_entry.kind
      when 'grant' then p_entry.amount > 0
      when 'purchase' then p_entry.amount > 0
      when 'charge' then p_entry.amount < 0
      when 'refund' then p_entry.amount > 0
      when 'adjustment' then p_entry.amount <> 0
      else false
    end
    and (p_entry.kind in ('charge', 'refund')) = (p_entry.video_id is not null)
    and char_length(p_entry.reason) between 1 and 200
    and coalesce(char_length(p_entry.idempotency_key) between 1 and 255, true)
    and p_entry.balance_after >= 0;
end;
$$;
comment on function app.is_gem_entry(public.gem_entries) is
  'What an entry of the ledger may be: the check gem_entries_valid. A function of the whole row, since Postgres reads the text of a check anew for each statement that writes to its table.';
alter table public.gem_entries add constraint gem_entries_valid check (app.is_gem_entry(gem_entries));

create unique index gem_entries_one_charge_one_refund on public.gem_entries (video_id, kind);
create unique index gem_entries_idempotency_key on public.gem_entries (user_id, idempotency_key) where idempotency_key is not null;
create index gem_entries_user_id_idx on public.gem_entries (user_id, id desc);

create function app.refuse_ledger_change() returns trigger
language plpgsql set search_path = ''
as $$
begin
  -- Forgetting is all that is allowed. What: a deleted video leaves no title behind.
  if tg_op = 'UPDATE' and old.video_id is not null and new.reason = 'Deleted video'
    and to_jsonb(new) - 'reason' = to_jsonb(old) - 'reason' then
    return new;
  end if;
  -- And who: account deletion sets user_id to null, and with it the words and the key that would tell.
  if tg_op = 'UPDATE' and new.user_id is null
    and new.reason in (old.reason, 'Account deleted')
    and coalesce(new.idempotency_key = old.idempotency_key, new.idempotency_key is null)
    and (to_jsonb(new) - '{user_id,reason,idempotency_key}'::text[])
      = (to_jsonb(old) - '{user_id,reason,idempotency_key}'::text[]) then
    return new;
  end if;
  raise exception 'The gem ledger is append-only' using errcode = 'GM009';
end;
$$;
comment on function app.refuse_ledger_change() is 'Keeps gem_entries append-only, for every role, but for what is forgotten.';

create trigger refuse_ledger_change
before update or delete on public.gem_entries
for each row execute function app.refuse_ledger_change();

create trigger refuse_ledger_truncate
before truncate on public.gem_entries
for each statement execute function app.refuse_ledger_change();

create function app.move_all_gems(
  p_user_ids uuid[],
  p_amounts integer[],
  p_kind text,
  p_video_ids uuid[],
  p_reasons text[],
  p_idempotency_key text default null,
  p_fair_tags bigint[] default null,
  p_fair_providers text[] default null
) returns integer[]
language plpgsql set search_path = ''
as $$
declare
  v_balances integer[];
begin
  with moved as (
    update public.users u
    set gem_balance = u.gem_balance + m.amount,
      fair_tag = coalesce(m.fair_tag, u.fair_tag), fair_provider = coalesce(m.fair_provider, u.fair_provider)
    from unnest(p_user_ids, p_amounts, p_video_ids, p_reasons, p_fair_tags, p_fair_providers)
      as m (user_id, amount, video_id, reason, fair_tag, fair_provider)
    where u.id = any (array[m.user_id])
      and u.gem_balance + m.amount >= 0
    returning u.id, m.amount, m.video_id, m.reason, u.gem_balance
  ), entered as (
    insert into public.gem_entries (user_id, amount, kind, video_id, reason, idempotency_key, balance_after)
    select m.id, m.amount, p_kind, m.video_id, left(m.reason, 200), p_idempotency_key, m.gem_balance
    from moved m
    where m.amount <> 0
  )
  select array_agg(m.gem_balance) into v_balances from moved m;
  return coalesce(v_balances, '{}');
end;
$$;
comment on function app.move_all_gems(uuid[], integer[], text, uuid[], text[], text, bigint[], text[]) is
  'The only way gems move: guarded balance updates, each with its ledger entry. Of different users, one movement each. A charge moves the user''s place in the queue with the same write, and one of nothing moves only that. Returns the new balances; of a user who is not there, or whose balance would go below zero, nothing moves and there is none.';

create function app.refuse_debt(p_balance integer, p_needed integer) returns void
language plpgsql set search_path = ''
as $$
begin
  raise exception 'The balance is % gems and % are needed', p_balance, p_needed
    using errcode = 'GM001', detail = jsonb_build_object('gem_balance', p_balance, 'gem_cost', p_needed)::text;
end;
$$;
comment on function app.refuse_debt(integer, integer) is 'GM001, with the balance and the price.';

create function app.move_gems(
  p_user_id uuid,
  p_amount integer,
  p_kind text,
  p_video_id uuid,
  p_reason text,
  p_idempotency_key text default null
) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_balances integer[] := app.move_all_gems(
    array[p_user_id], array[p_amount], p_kind, array[p_video_id], array[p_reason], p_idempotency_key
  );
  v_balance integer;
begin
  if cardinality(v_balances) = 0 then
    select u.gem_balance into v_balance from public.users u where u.id = p_user_id;
    if not found then
      raise exception 'No user with id "%"', p_user_id
        using errcode = 'GM005', detail = '{"field": "user_id"}';
    end if;
    perform app.refuse_debt(v_balance, -p_amount);
  end if;
  return v_balances[1];
end;
$$;
comment on function app.move_gems(uuid, integer, text, uuid, text, text) is
  'One movement of gems. Returns the new balance. GM001 when the balance would go below zero, GM005 when there is no such user.';

create function public.grant_gems(
  p_user_id uuid,
  p_amount integer,
  p_kind text,
  p_reason text,
  p_idempotency_key text
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  -- Half of what the column holds, so that what is spent of it can always come back.
  v_most constant integer := 1000000000;
  v_entry public.gem_entries;
  v_balance integer;
begin
  perform app.refuse_people();
  if p_kind is null or p_kind not in ('grant', 'purchase', 'adjustment') then
    raise exception 'Kind % is not one of grant, purchase, adjustment', coalesce('"' || p_kind || '"', 'null')
      using errcode = 'GM008', detail = '{"field": "p_kind", "allowed": ["grant", "purchase", "adjustment"]}';
  end if;
  if p_amount is null or p_amount = 0 or (p_amount < 0 and p_kind <> 'adjustment') then
    raise exception 'Amount % must be a positive number of gems (negative only for an adjustment)', coalesce(p_amount::text, 'null')
      using errcode = 'GM008', detail = '{"field": "p_amount"}';
  end if;
  if p_idempotency_key is null or p_idempotency_key = '' then
    raise exception 'An idempotency key is needed, so that a repeated call grants once'
      using errcode = 'GM008', detail = '{"field": "p_idempotency_key"}';
  end if;

  -- The lock makes two calls with the same key take turns, so the second finds the first's entry.
  select u.gem_balance into v_balance from public.users u where u.id = p_user_id for no key update;
  if not found then
    raise exception 'No user with id %', coalesce('"' || p_user_id || '"', 'null')
      using errcode = 'GM005', detail = '{"field": "p_user_id"}';
  end if;

  select e.* into v_entry
  from public.gem_entries e
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key;
  if found then
    if v_entry.amount <> p_amount or v_entry.kind <> p_kind then
      raise exception 'This idempotency key was used for another movement of gems'
        using errcode = 'GM002', detail = '{"field": "p_idempotency_key"}';
    end if;
    return jsonb_build_object('gem_balance', v_entry.balance_after, 'replayed', true);
  end if;

  if p_amount > v_most - v_balance then
    raise exception 'Nobody can have more than % gems', v_most using errcode = 'GM008', detail = '{"field": "p_amount"}';
  end if;
  v_balance := app.move_gems(p_user_id, p_amount, p_kind, null, p_reason, p_idempotency_key);
  return jsonb_build_object('gem_balance', v_balance, 'replayed', false);
end;
$$;
comment on function public.grant_gems(uuid, integer, text, text, text) is
  'Adds gems after a purchase, as a gift, or corrects a balance. Service role only. The same key twice adds once and answers the same; with another amount or kind it is GM002. Nobody can have more than 1,000,000,000. Definer, because no role may write the ledger directly.';

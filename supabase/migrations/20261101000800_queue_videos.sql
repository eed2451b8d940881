-- Queueing videos: what an order comes to, the rows that it makes, and the doors that take orders.
-- The doors are SECURITY DEFINER because no role, not even the service role, may write these tables;
-- they are granted to the service role alone (see the access migration).

create function app.draft_order(
  p_user_id uuid,
  p_user public.users,
  p_request jsonb,
  p_input_hash text,
  p_idempotency_key text,
  p_same public.videos,
  p_under_way bigint,
  p_limit integer
) returns public.videos
language plpgsql set search_path = ''
as $$
declare
  v_video public.videos;
begin
  if p_user.id is null then
    raise exception 'No user with id "%"', p_user_id using errcode = 'GM005', detail = '{"field": "user_id"}';
  end if;

  if p_same.id is not null then
    if p_same.input_hash <> p_input_hash then
      raise exception 'This idempotency key was used with another body' using errcode = 'GM002';
    end if;
    return p_same;
  end if;

  v_video := app.draft_video(p_user_id, p_request);
  v_video.input_hash := p_input_hash;
  v_video.idempotency_key := p_idempotency_key;
  if exists (select 1 from app.daily_counts c where c.user_id = p_user_id) then
    perform app.check_today(p_user_id, app.has_own_words(v_video));
  end if;
  if p_under_way >= p_limit then
    raise exception 'At most % videos may be under way at once', p_limit
      using errcode = 'GM004', detail = jsonb_build_object('limit', p_limit)::text;
  end if;
  if p_user.gem_balance < v_video.gem_cost then
    perform app.refuse_debt(p_user.gem_balance, v_video.gem_cost);
  end if;
  return v_video;
end;
$$;
comment on function app.draft_order(uuid, public.users, jsonb, text, text, public.videos, bigint, integer) is
  'What an order comes to: the same video that was queued with this key before, or a draft without an id that can be added. All is as read under the user''s lock, which the caller holds: the user and the video of this key, each null where there is none; how many of theirs are under way, and how many may be. Writes nothing. Errors: see queue_videos.';

create function app.add_videos(p_drafts public.videos[], p_expected_seconds integer[]) returns public.videos[]
language plpgsql set search_path = ''
as $$
declare
  v_ids uuid[];
  v_job_ids uuid[];
  v_first boolean[];
  v_seconds integer[];
  v_retries integer;
  v_user_ids uuid[];
  v_amounts integer[];
  v_reasons text[];
  v_tags bigint[];
  v_providers text[];
  v_queues text[];
  v_jobs jsonb[];
  v_priorities integer[];
  v_videos public.videos[];
begin
  -- All that the rows need, by draft, so that each of the statements below is one for all of them.
  select
    array_agg(d.id), array_agg(d.job_id), array_agg(d.first), array_agg(d.seconds), min(d.max_attempts) - 1,
    array_agg(d.user_id), array_agg(-d.gem_cost), array_agg('Video: ' || d.title), array_agg(d.tag), array_agg(d.provider),
    array_agg(app.submit_queue(d.provider)), array_agg(app.submission_data(d.job_id)), array_agg(app.submission_priority(d.tag, d.base))
  into
    v_ids, v_job_ids, v_first, v_seconds, v_retries,
    v_user_ids, v_amounts, v_reasons, v_tags, v_providers,
    v_queues, v_jobs, v_priorities
  from (
    select
      coalesce(n.id, app.timed_uuid(7)) as id, app.timed_uuid(4) as job_id, n.user_id, n.title, n.provider, n.gem_cost, f.first, s.max_attempts, c.base,
      coalesce(m.median_seconds, p_expected_seconds[n.ordinality]) as seconds,
      -- Whoever is ahead of one provider's clock is as far ahead of each other's.
      c.tag + greatest(u.fair_tag - o.tag, 0)
        + ceil(greatest(n.gem_cost, 1)::numeric / case when f.first then s.premium_weight else 1 end)::bigint as tag
    from unnest(p_drafts) with ordinality as n
    join public.users u on u.id = any (array[n.user_id])
    cross join lateral (select n.is_premium or u.tier = 'premium' as first) f
    join app.fair_clocks c on c.provider = n.provider
    left join app.fair_clocks o on o.provider = u.fair_provider
    join app.settings s on s.only_row
    left join app.model_stats m on m.provider = n.provider and m.model = n.model
    order by n.ordinality
  ) d;

  if cardinality(app.move_all_gems(v_user_ids, v_amounts, 'charge', v_ids, v_reasons, null, v_tags, v_providers)) <> cardinality(p_drafts) then
    raise exception 'A balance does not suffice' using errcode = 'GM001';
  end if;

  with draft as (
    select
      n.*, v_ids[n.ordinality] as video_id, v_job_ids[n.ordinality] as job_id, v_first[n.ordinality] as first,
      v_seconds[n.ordinality] as seconds
    from unnest(p_drafts) with ordinality as n
  ), added as (
    insert into public.videos as v (
      id, user_id, child_id, rhyme_id, project_id, scene, kind, title, prompt, negative_prompt, provider, model, model_reason, fallbacks,
      options, avatar_path, folder, gem_cost, is_premium, max_retries, estimated_completion_at, idempotency_key, input_hash
    )
    select
      d.video_id, d.user_id, d.child_id, d.rhyme_id, d.project_id, d.scene, d.kind, d.title, d.prompt, d.negative_prompt,
      d.provider, d.model, d.model_reason, d.fallbacks, d.options, d.avatar_path, d.folder, d.gem_cost, d.first, v_retries,
      date_trunc('seconds', clock_timestamp()) + d.seconds * interval '1 second', d.idempotency_key, d.input_hash
    from draft d
    returning v as video
  ), attempt as (
    insert into public.video_jobs (id, video_id, attempt, provider, model, priority)
    select d.job_id, d.video_id, 1, d.provider, d.model, case when d.first then 2 else 1 end
    from draft d
  ), told as (
    insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, eta_seconds)
    select d.video_id, d.user_id, 1, 'initializing', 0, app.stage_message('initializing', 0), d.seconds
    from draft d
  )
  -- In the order of the drafts, whatever order the rows come back in: an answer belongs to who ordered.
  select array_agg(a.video order by array_position(v_ids, (a.video).id)) into v_videos from added a;

  perform app.enqueue_all(v_queues, v_job_ids, v_jobs, v_priorities);
  perform app.tell_owner('video_updated', n.user_id, public.video_state(n)) from unnest(v_videos) as n;
  return v_videos;
end;
$$;
comment on function app.add_videos(public.videos[], integer[]) is
  'Charges drafted videos of different users and makes their rows: charge, video, first attempt, progress entry, queue job. A draft without an id gets one. Whoever adds videos does so here. The caller holds the users'' locks and rings when it has added all of them. The videos in the same order. GM001 insufficient gems.';

create function app.queue_answer(p_video public.videos, p_replayed boolean) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'video_id', p_video.id,
    'estimated_completion', to_char(p_video.estimated_completion_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'estimated_seconds', ceil(extract(epoch from p_video.estimated_completion_at - p_video.created_at)),
    'gem_cost', p_video.gem_cost,
    'title', p_video.title,
    'status', p_video.status,
    'provider', p_video.provider,
    'model', p_video.model,
    'model_reason', p_video.model_reason,
    'replayed', p_replayed
  );
end;
$$;
comment on function app.queue_answer(public.videos, boolean) is 'What queue_videos and queue_video answer for a video; the same for the first call and for each repetition, but for "replayed" and "status".';

create function public.queue_videos(p_orders jsonb, p_wait boolean default false) returns jsonb
language plpgsql security definer set search_path = ''
-- By their ids, always, and planned once: see docs/adr/0010-by-their-ids.md.
set enable_seqscan = off set enable_indexonlyscan = off set plan_cache_mode = force_generic_plan set jit = off
-- Whoever waits has a connection that everybody shares. After that it is 55P03, and the app comes again.
set lock_timeout = '2s'
as $$
declare
  v_free uuid[];
  v_children uuid[];
  v_order record;
  v_video public.videos;
  v_drafts public.videos[] := '{}';
  v_expected integer[] := '{}';
  v_places integer[] := '{}';
  v_answers jsonb[];
  v_detail text;
begin
  perform app.refuse_people();
  -- One user's calls take turns from here on, so that balance, limit and idempotency key are
  -- read and written as one; other users are not held up.
  if p_wait then
    select array_agg(u.id) into v_free
    from (
      select u.id
      from (select o.user_id from jsonb_to_recordset(p_orders) as o (user_id uuid) order by o.user_id) o
      join public.users u on u.id = any (array[o.user_id])
      for no key update of u
    ) u;
    -- A child that is being forgotten is waited for, and then is not there any more for what follows.
    perform 1
    from (
      select (o.request ->> 'child_id')::uuid as child_id from jsonb_to_recordset(p_orders) as o (request jsonb) order by 1
    ) o
    join public.children c on c.id = any (array[o.child_id])
    for key share of c;
  else
    -- Nobody waits while holding others: neither for a user, nor for a child that is being forgotten.
    select array_agg(u.id) into v_free
    from (
      select u.id from jsonb_to_recordset(p_orders) as o (user_id uuid) join public.users u on u.id = any (array[o.user_id])
      for no key update of u skip locked
    ) u;
    select array_agg(c.id) into v_children
    from (
      select c.id from jsonb_to_recordset(p_orders) as o (request jsonb)
      join public.children c on c.id = any (array[(o.request ->> 'child_id')::uuid])
      for key share of c skip locked
    ) c;
  end if;

  for v_order in
    select o.*, u as owner, t.queue_limit, (
      select s from public.videos s where s.user_id = o.user_id and s.idempotency_key = o.idempotency_key
    ) as same, (
      select count(*) from public.videos v
      -- Clips of projects have a limit of their own: see app.check_project_limit.
      where v.user_id = o.user_id and v.under_way and v.scene is null
    ) as under_way
    from rows from (
      jsonb_to_recordset(p_orders)
        as (user_id uuid, request jsonb, input_hash text, expected_seconds integer, idempotency_key text)
    ) with ordinality as o (user_id, request, input_hash, expected_seconds, idempotency_key, place)
    left join public.users u on u.id = any (array[o.user_id])
      -- Who is leaving is not there any more.
      and not exists (select 1 from app.erasures e where e.user_id = o.user_id)
    join app.settings t on t.only_row
  loop
    -- An unknown user is told so at once, and of an unknown child alone.
    if (v_order.owner).id is not null and (
      v_order.user_id = any (v_free) is not true
      or not p_wait and (v_order.request ->> 'child_id')::uuid = any (coalesce(v_children, '{}')) is false
    ) then
      v_answers[v_order.place] := '{"busy": true}';
      continue;
    end if;
    -- One order each: the next one's balance is what this one leaves.
    v_free := array_remove(v_free, v_order.user_id);
    begin
      v_video := app.draft_order(
        v_order.user_id, v_order.owner, v_order.request, v_order.input_hash, v_order.idempotency_key,
        v_order.same, v_order.under_way, v_order.queue_limit
      );
    exception when others then
      -- An answer for this one. Anything else is not known to be this one's fault.
      if sqlstate not like 'GM%' then
        raise;
      end if;
      get stacked diagnostics v_detail = pg_exception_detail;
      v_answers[v_order.place] := jsonb_build_object(
        'error', jsonb_build_object('code', sqlstate, 'message', sqlerrm, 'details', v_detail)
      );
      continue;
    end;
    if v_video.id is not null then
      v_answers[v_order.place] := jsonb_build_object('video', app.queue_answer(v_video, true));
    else
      v_drafts := v_drafts || v_video;
      v_expected := v_expected || v_order.expected_seconds;
      v_places := v_places || v_order.place::integer;
    end if;
  end loop;

  if cardinality(v_drafts) > 0 then
    v_drafts := app.add_videos(v_drafts, v_expected);
    for v_index in 1..cardinality(v_drafts) loop
      v_answers[v_places[v_index]] := jsonb_build_object('video', app.queue_answer(v_drafts[v_index], false));
    end loop;
    perform app.ring('submit');
  end if;
  return coalesce(to_jsonb(v_answers), '[]');
end;
$$;
comment on function public.queue_videos(jsonb, boolean) is
  'Charges the gems and queues the videos that orders of different users ask for, in one transaction: [{user_id, request (see app.draft_video), input_hash, expected_seconds, idempotency_key}]. Answers for each, in the same order, {video} (see app.queue_answer), or {error: {code, message, details}}, which keeps no other from its video. Where somebody else holds a user or child, and for a second order of one user, {busy}: nothing was done and it is for the caller to order again, alone and with p_wait, which waits two seconds for whoever is before it, and is 55P03 then. Service role only; the caller has checked who the users are and that the models can do it. Errors: GM001 insufficient gems, GM002 idempotency key reused with another body, GM004 queue limit, GM005 no such user, rhyme, child or picture (detail.field), GM008 no such length, GM010 no price, GM011 no consent to use the picture, GM013 refused or cancelled too often (detail.limit).';

create function public.queue_video(
  p_user_id uuid,
  p_request jsonb,
  p_input_hash text,
  p_expected_seconds integer,
  p_idempotency_key text default null
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_answer jsonb := public.queue_videos(jsonb_build_array(jsonb_build_object(
    'user_id', p_user_id, 'request', p_request, 'input_hash', p_input_hash,
    'expected_seconds', p_expected_seconds, 'idempotency_key', p_idempotency_key
  )), true) -> 0;
  v_error jsonb := v_answer -> 'error';
begin
  if v_error is not null then
    raise exception '%', v_error ->> 'message' using errcode = v_error ->> 'code', detail = coalesce(v_error ->> 'details', '');
  end if;
  return v_answer -> 'video';
end;
$$;
comment on function public.queue_video(uuid, jsonb, text, integer, text) is
  'queue_videos for one order, in SQL or by the service role: waits two seconds for its turn (55P03 then), answers the video and raises what is an error there. The functions call queue_videos for one order, too. Service role only.';

-- From a request to the video it asks for and what that costs. Nothing is written here.

create function app.price_of(p_provider text, p_model text, p_options jsonb) returns integer
language plpgsql stable set search_path = ''
as $$
declare
  v_seconds numeric := (p_options ->> 'duration')::numeric;
  v_rate numeric;
begin
  if v_seconds is null or v_seconds <= 0 or v_seconds > 600 then
    raise exception 'A video is up to 600 seconds long, not "%"', v_seconds
      using errcode = 'GM008', detail = '{"field": "duration"}';
  end if;
  select case when (p_options ->> 'audio')::boolean then p.gems_per_second_with_sound else p.gems_per_second end
  into v_rate
  from app.prices p
  where p.provider = p_provider and p.model = p_model and p.resolution = coalesce(p_options ->> 'resolution', '');
  if not found then
    raise exception 'The model "%" is not for sale at this resolution', p_model
      using errcode = 'GM010', detail = '{"field": "model", "allowed": ["auto"]}';
  end if;
  if v_rate is null then
    raise exception 'The model "%" is not sold with sound', p_model
      using errcode = 'GM010', detail = '{"field": "audio", "allowed": [false]}';
  end if;
  return greatest(1, ceil(v_rate * v_seconds));
end;
$$;
comment on function app.price_of(text, text, jsonb) is
  'Gems for one video with these options (duration in seconds, resolution, audio), rounded up. GM010 where the model has no price, or none with sound.';

create function app.draft_video(p_user_id uuid, p_request jsonb) returns public.videos
language plpgsql stable set search_path = ''
as $$
declare
  v_rhyme public.rhymes;
  v_video public.videos;
  v_avatar_path text := p_request ->> 'avatar_path';
begin
  v_video.user_id := p_user_id;
  v_video.kind := coalesce(p_request ->> 'kind', 'rhyme');
  v_video.child_id := (p_request ->> 'child_id')::uuid;
  v_video.options := coalesce(p_request -> 'options', '{}');
  v_video.folder := coalesce(p_request ->> 'folder', 'videos');

  if v_video.kind = 'rhyme' then
    select r.* into v_rhyme from public.rhymes r where r.id = (p_request ->> 'rhyme_id')::uuid and r.is_active;
    if not found then
      raise exception 'No rhyme with id "%"', p_request ->> 'rhyme_id'
        using errcode = 'GM005', detail = '{"field": "rhyme_id"}';
    end if;
    v_video.rhyme_id := v_rhyme.id;
    v_video.title := v_rhyme.title;
    v_video.provider := v_rhyme.provider;
    v_video.model := coalesce(p_request ->> 'model', v_rhyme.model);
    -- Of the rhyme's own those that can also do what was wished for.
    v_video.fallbacks := coalesce(p_request -> 'fallbacks', v_rhyme.fallbacks);
    v_video.is_premium := v_rhyme.is_premium;
    v_video.gem_cost := v_rhyme.gem_cost;
  else
    v_video.prompt := p_request ->> 'prompt';
    v_video.negative_prompt := p_request ->> 'negative_prompt';
    v_video.title := coalesce(p_request ->> 'title', left(v_video.prompt, 80));
    v_video.provider := p_request ->> 'provider';
    v_video.model := p_request ->> 'model';
    v_video.model_reason := p_request ->> 'model_reason';
    v_video.fallbacks := coalesce(p_request -> 'fallbacks', '[]');
    v_video.is_premium := false;
    v_video.gem_cost := app.price_of(v_video.provider, v_video.model, v_video.options);
  end if;

  if v_video.kind = 'rhyme' or v_video.child_id is not null then
    select coalesce(v_avatar_path, c.avatar_path) into v_avatar_path
    from public.children c
    where c.id = v_video.child_id and c.user_id = p_user_id;
    if not found then
      raise exception 'No child with id "%"', v_video.child_id
        using errcode = 'GM005', detail = '{"field": "child_id"}';
    end if;
  end if;
  if v_video.kind = 'rhyme' and v_avatar_path is not null then
    perform app.check_avatar(p_user_id, v_video.child_id, v_avatar_path);
    v_video.avatar_path := v_avatar_path;
  end if;
  return v_video;
end;
$$;
comment on function app.draft_video(uuid, jsonb) is
  'The video that a request of this user asks for, with its price: {kind, child_id, avatar_path, options} and for a rhyme {rhyme_id, model, fallbacks}, else {prompt, negative_prompt, title, provider, model, model_reason, fallbacks}. Errors: GM005 no such rhyme, child or picture (detail.field), GM008 no such length, GM010 no price, GM011 no consent to use the picture.';

create function public.quote_video(p_user_id uuid, p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_video public.videos;
begin
  perform app.refuse_people();
  v_video := app.draft_video(p_user_id, p_request);
  return jsonb_build_object(
    'title', v_video.title, 'gem_cost', v_video.gem_cost, 'provider', v_video.provider, 'model', v_video.model,
    'model_reason', v_video.model_reason,
    'gem_balance', (select u.gem_balance from public.users u where u.id = p_user_id)
  );
end;
$$;
comment on function public.quote_video(uuid, jsonb) is 'What queue_videos would charge for the same request. Charges nothing. Service role only, as a definer because it reads the price list.';

create function public.price_list() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select app.refuse_people();
  select coalesce(jsonb_agg(
    jsonb_build_object(
      'provider', p.provider, 'model', p.model, 'resolution', p.resolution, 'gems_per_second', p.gems_per_second,
      'gems_per_second_with_sound', p.gems_per_second_with_sound,
      'available', app.breaker_state(o) in ('closed', 'half_open')
    ) order by p.provider, p.model, p.resolution
  ), '[]')
  from app.prices p
  join app.providers o on o.name = p.provider;
$$;
comment on function public.price_list() is 'What models cost, in gems a second with and without sound, and whether their provider takes work now. For choosing a model; what is charged is read anew by queue_videos. Service role only.';

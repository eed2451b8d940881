-- A catalogue to start with. Run once on an empty database; edit the rows freely afterwards.

insert into public.rhymes (id, slug, title, gem_cost, is_premium, prompt_template, negative_prompt, style)
values
  (
    '10000000-0000-4000-8000-000000000001', 'twinkle-twinkle', 'Twinkle, Twinkle, Little Star', 10, false,
    '{child} sits on a sleepy paper moon in warm pyjamas and waves at one small star, which twinkles back and draws a slow silver loop through a deep blue night sky above rooftops. {style}',
    null, 'Soft watercolour storybook, gentle light, calm camera'
  ),
  (
    '10000000-0000-4000-8000-000000000002', 'itsy-bitsy-spider', 'Itsy Bitsy Spider', 10, false,
    '{child} in yellow rain boots cheers for a tiny friendly spider with big eyes that climbs a shiny rain pipe; a soft shower slides it down, the sun comes out, and up it climbs again. {style}',
    null, 'Bright clay animation, fresh rain, playful camera'
  ),
  (
    '10000000-0000-4000-8000-000000000003', 'row-your-boat', 'Row, Row, Row Your Boat', 10, false,
    '{child} rows a little red boat down a merry green stream past ducks in a row and waving reeds, laughing as dragonflies glitter over the water. {style}',
    null, 'Hand-painted picture book, golden afternoon'
  ),
  (
    '10000000-0000-4000-8000-000000000004', 'humpty-dumpty', 'Humpty Dumpty', 15, false,
    '{child} and a jolly egg in a striped waistcoat sit on a garden wall swinging their feet; the egg wobbles, the royal horses hurry up with pillows, and everyone lands softly and laughs. {style}',
    null, 'Cheerful felt puppets on a stage'
  ),
  (
    '10000000-0000-4000-8000-000000000005', 'hey-diddle-diddle', 'Hey Diddle Diddle', 25, true,
    '{child} plays the fiddle with a dancing cat while a happy cow leaps in a great slow arc over a smiling moon and a little dog laughs in a field of fireflies. {style}',
    null, 'Cinematic 3D animation, moonlit, magical glow'
  ),
  (
    '10000000-0000-4000-8000-000000000006', 'owl-and-pussycat', 'The Owl and the Pussycat', 25, true,
    '{child} steers a beautiful pea-green boat under the stars with an elegant owl singing to a small guitar and a dreamy pussycat, towards an island where tall trees sway. {style}',
    null, 'Luminous gouache, starlit sea, sweeping camera'
  )
on conflict (slug) do nothing;

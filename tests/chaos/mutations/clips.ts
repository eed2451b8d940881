import type { Mutation } from "./mutation.ts";

const CLIPS = "supabase/migrations/20261101002200_clips.sql";
const MARGINS = "supabase/migrations/20261101002300_margins.sql";
const GALLERY = "supabase/migrations/20261101001800_gallery.sql";
const SCENES = "shared/doors/clip_scenes.ts";
const GENERATE = "shared/doors/generate_video.ts";

const CLIP_TESTS = ["tests/db/clips_test.ts"];
const CLIP_DOOR_TESTS = ["tests/integration/clips_test.ts"];
const VIDEO_DOOR_TESTS = ["tests/integration/generate_video_test.ts"];
const MARGIN_TESTS = ["tests/db/margins_test.ts"];

/** Guards of projects and their clips, of Runway's way, and of the margins. */
export const CLIPS_AND_MARGINS: readonly Mutation[] = [
  {
    name: "clips of one user change their map without taking turns",
    file: CLIPS,
    find: "  perform pg_advisory_xact_lock(hashtext('gemreel.clips.' || p_user_id));\n",
    replace: "",
    why: "who ends clips of two projects and who ends them the other way round wait for each other",
    tests: ["tests/db/clips_races_test.ts"],
  },
  {
    name: "a clip that is there already is made again",
    file: CLIPS,
    find:
      "    where c.video_id is null or c.input_hash <> s.hash or c.status in ('failed', 'cancelled')\n",
    replace: "    where true\n",
    why: "asking again buys the whole project again",
    tests: CLIP_TESTS,
  },
  {
    name: "a clip of other pictures counts as made",
    file: CLIPS,
    find: "c.input_hash <> s.hash or ",
    replace: "",
    why: "a scene that was changed is never made",
    tests: CLIP_TESTS,
  },
  {
    name: "the gems are not compared with the price of all scenes",
    file: CLIPS,
    find: "  if v_price > v_user.gem_balance then\n",
    replace: "  if false then\n",
    why: "who is short is told the price of one scene",
    tests: CLIP_TESTS,
  },
  {
    name: "clips have no limit",
    file: CLIPS,
    find: "  perform app.check_project_limit(p_user_id, cardinality(v_drafts));\n",
    replace: "",
    why: "one user fills the queue with a project",
    tests: CLIP_TESTS,
  },
  {
    name: "clips can be made of somebody else's project",
    file: CLIPS,
    find:
      "  perform 1 from public.projects p where p.id = p_project_id and p.user_id = p_user_id for key share;\n",
    replace: "  perform 1 from public.projects p where p.id = p_project_id for key share;\n",
    why: "strangers write into a project",
    tests: CLIP_TESTS,
  },
  {
    name: "a deleted clip stays in the map",
    file: CLIPS,
    find: "for each row when (old.project_id is not null)\n",
    replace: "for each row when (false)\n",
    why: "the app shows a clip that is gone",
    tests: CLIP_TESTS,
  },
  {
    name: "the map keeps scenes that the project has no more",
    file: CLIPS,
    find: "  new.clips := app.clip_map(new.id, new.frames);\n",
    replace: "",
    why: "the app counts clips that nobody wants",
    tests: CLIP_TESTS,
  },
  {
    name: "the words of a scene are not judged",
    file: SCENES,
    find: "    ...Object.fromEntries(scenes.map(",
    replace: "    ...Object.fromEntries(scenes.slice(0, 0).map(",
    why: "what no child should see is bought",
    tests: CLIP_DOOR_TESTS,
  },
  {
    name: "a bitrate is dropped in silence",
    file: GENERATE,
    find: "    ...(bitrate === undefined ? [] : [{",
    replace: "    ...(bitrate === undefined || true ? [] : [{",
    why: "people pay for something that they do not get",
    tests: VIDEO_DOOR_TESTS,
  },
  {
    name: "deleting a video looks for its file in one folder only",
    file: GALLERY,
    find: "app.files_of(v)",
    replace: "v.user_id || '/videos/' || v.id || '.'",
    why: "files of deleted videos stay forever",
    tests: VIDEO_DOOR_TESTS,
  },
  {
    name: "what a failed attempt was billed is not written down",
    file: MARGINS,
    find: "    where j.finished_at is not null\n",
    replace: "    where j.status = 'completed'\n",
    why: "the operator earns less than the books say",
    tests: MARGIN_TESTS,
  },
];

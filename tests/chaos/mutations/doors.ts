import { KNOWN_STORIES, type Mutation, STORIES } from "./mutation.ts";

const ACCESS = "supabase/migrations/20261101001300_access.sql";
const DOORS = "supabase/migrations/20261101000810_doors.sql";
const STORAGE = "supabase/migrations/20261101001400_storage.sql";
const LIMITS = "supabase/migrations/20261101000680_limits.sql";

/** Guards against callers who are not who they say, and against addresses that are not ours. */
export const DOOR_GUARDS: readonly Mutation[] = [
  {
    name: "any token opens the webhook",
    file: "shared/http/webhook_token.ts",
    find: "matches = matches || difference === 0;",
    replace: "matches = true;",
    why: "anyone rings, for any job",
    tests: ["tests/unit/http_test.ts", "tests/integration/webhook_test.ts"],
  },
  {
    name: "the webhook does not look at its token",
    file: "shared/doors/provider_webhook.ts",
    find: "if (!jobId.success || !await isWebhookToken(webhook.secrets, jobId.data, token)) {",
    replace: "if (!jobId.success) {",
    why: "anyone rings, for any job",
    tests: ["tests/integration/webhook_test.ts"],
  },
  {
    name: "what a webhook says is believed",
    file: "shared/stages/poll.ts",
    find: "return poll.overdue || isForgotten;",
    replace: "return true;",
    why: "a forged success completes a video",
    tests: ["tests/integration/webhook_test.ts"],
    underFire: [STORIES],
  },
  {
    name: "a webhook is believed of a task that the provider cannot know yet",
    file: "shared/stages/poll.ts",
    find: `told?.state === "missing" && poll.seconds_running >= MISSING_GRACE_SECONDS;`,
    replace: `told?.state === "missing";`,
    why: "a forged failure buys a second attempt beside the first",
    tests: ["tests/chaos/counterexamples_test.ts"],
    underFire: [STORIES],
  },
  {
    name: "a link that only a webhook names may lead anywhere",
    file: "shared/stages/poll.ts",
    find: `(told.state === "succeeded" && isAllowedMedia(told.videoUrl, mediaHosts));`,
    replace: `told.state === "succeeded";`,
    why: "a forged success at the deadline spends the attempts that are left",
    tests: ["tests/integration/webhook_delivery_test.ts"],
    underFire: [KNOWN_STORIES],
  },
  {
    name: "the body may name another user",
    file: "shared/doors/queue_video.ts",
    find: "if (body.user_id !== undefined && body.user_id !== visit.userId.toLowerCase()) {",
    replace: "if (body.user_id === null) {",
    why: "a caller who means someone else is not told",
    tests: ["tests/integration/security_test.ts"],
  },
  {
    name: "anyone's video can be cancelled",
    file: DOORS,
    find: "where v.id = p_video_id and v.user_id = p_user_id\n",
    replace: "where v.id = p_video_id\n",
    why: "a stranger ends what someone else paid for",
    tests: ["tests/db/submit_test.ts"],
  },
  {
    name: "anyone's child can star",
    file: "supabase/migrations/20261101000780_requests.sql",
    find: "where c.id = v_video.child_id and c.user_id = p_user_id;",
    replace: "where c.id = v_video.child_id;",
    why: "a stranger's child in a video",
    tests: ["tests/db/queue_video_test.ts"],
  },
  {
    name: "the status of anyone's video can be asked",
    file: DOORS,
    find: "where v.user_id = p_user_id and v.id = any (p_video_ids);",
    replace: "where v.id = any (p_video_ids);",
    why: "a stranger's videos can be looked at",
    tests: ["tests/integration/security_test.ts"],
  },
  {
    name: "functions are open to every role",
    file: "supabase/migrations/20261101000200_settings.sql",
    find: "alter default privileges revoke execute on functions from public;",
    replace: "",
    why: "anyone moves gems, from the first later migration on",
    tests: ["tests/db/access_test.ts"],
  },
  {
    name: "a user may grant gems",
    file: ACCESS,
    find: "on function public.grant_gems(uuid, integer, text, text, text) to service_role;",
    replace:
      "on function public.grant_gems(uuid, integer, text, text, text) to service_role, authenticated;",
    why: "gems for nothing",
    tests: ["tests/db/access_test.ts"],
  },
  {
    name: "a table is without row level security",
    file: ACCESS,
    find: "alter table public.video_jobs enable row level security;\n",
    replace: "",
    why: "one grant by mistake, and everyone reads it all",
    tests: ["tests/db/access_test.ts"],
  },
  {
    name: "every user sees every video",
    file: ACCESS,
    find:
      `create policy "Users see their videos" on public.videos for select to authenticated using (user_id = (select auth.uid()));`,
    replace:
      `create policy "Users see their videos" on public.videos for select to authenticated using (true);`,
    why: "children's videos for all to see",
    tests: ["tests/db/access_test.ts"],
  },
  {
    name: "every user reads every file",
    file: STORAGE,
    find: `      and (storage.foldername(name))[1] = (select auth.uid())::text
      -- Not what was copied for a video that failed after all and was refunded.
      and exists (
        select 1 from public.videos v
        -- The one video whose id is the object's name, and not all of its owner's.
        where v.id = substring(name from '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.][a-z0-9]+$')::uuid
          and v.user_id = (select auth.uid()) and v.status = 'completed' and name in (v.storage_path, v.thumbnail_path)
      )
`,
    replace: "",
    why: "children's videos for all to see",
    tests: ["tests/integration/security_test.ts"],
  },
  {
    name: "a user reads a file that was copied for a refunded video",
    file: STORAGE,
    find: `      and exists (
        select 1 from public.videos v
        -- The one video whose id is the object's name, and not all of its owner's.
        where v.id = substring(name from '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.][a-z0-9]+$')::uuid
          and v.user_id = (select auth.uid()) and v.status = 'completed' and name in (v.storage_path, v.thumbnail_path)
      )
`,
    replace: "",
    why: "the video, and the gems back",
    tests: ["tests/integration/storing_test.ts"],
  },
  {
    name: "any secret key wakes the workers",
    file: "shared/http/worker_door.ts",
    find: `return secretDoor(name, ["POST"], "cron", async (request, visit) => {`,
    replace: `return secretDoor(name, ["POST"], "*", async (request, visit) => {`,
    why: "a key that was given away for something else runs the workers",
    tests: ["tests/integration/security_test.ts"],
  },
  {
    name: "a file is fetched from any host",
    file: "shared/storage/media_fetch.ts",
    find: "    if (!isAllowedMedia(at, hosts)) {",
    replace: "    if (false) {",
    why: "a server of ours asks whoever a provider names, our own network too",
    tests: ["tests/unit/media_fetch_test.ts", "tests/integration/storing_test.ts"],
  },
  {
    name: "redirects of a file are followed to anywhere",
    file: "shared/storage/media_fetch.ts",
    find: `redirect: "manual"`,
    replace: `redirect: "follow"`,
    why: "an allowed host sends us to any other",
    tests: ["tests/unit/media_fetch_test.ts"],
  },
  {
    name: "a second copy replaces the first",
    file: "shared/storage/object_store.ts",
    find: `"x-upsert": "false"`,
    replace: `"x-upsert": "true"`,
    why: "a file changes under the eyes of who watches it",
    tests: ["tests/integration/storing_test.ts"],
  },
  {
    name: "what a user is refused, billed, has no limit",
    file: "supabase/migrations/20261101001000_settle.sql",
    find: "    perform app.count_today(v_video.user_id, 'refused');\n",
    replace: "    null;\n",
    why: "ten gems run up any bill at the provider, again and again",
    tests: ["tests/db/limits_test.ts"],
  },
  {
    name: "ordering and cancelling goes on without end",
    file: "supabase/migrations/20261101000810_doors.sql",
    find: "    perform app.count_today(p_video.user_id, 'cancelled');\n",
    replace: "    null;\n",
    why: "it costs no gems, and each round leaves rows that stay",
    tests: ["tests/db/limits_test.ts"],
  },
  {
    name: "a rhyme may be ordered by who is refused too often, whatever the child is called",
    file: LIMITS,
    find:
      "p_video.kind <> 'rhyme' or p_video.avatar_path is not null or app.has_consent(p_video.child_id)",
    replace: "p_video.kind <> 'rhyme'",
    why: "a name that no provider takes runs up any bill, again and again",
    tests: ["tests/db/limits_test.ts"],
  },
  {
    name: "a project may be started by who is refused too often",
    file: "supabase/migrations/20261101002200_clips.sql",
    find: "  perform app.check_today(p_user_id, true);\n",
    replace: "",
    why: "ten gems run up any bill at the provider, again and again",
    tests: ["tests/db/clips_test.ts"],
  },
  {
    name: "two that add rows at once are counted apart",
    file: LIMITS,
    find: "  join public.users u on u.id = any (array[n.user_id])\n  for no key update of u;\n",
    replace: "  join public.users u on u.id = any (array[n.user_id]);\n",
    why: "one account fills the disk",
    tests: ["tests/db/limits_test.ts"],
  },
];

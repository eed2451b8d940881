import type { Mutation } from "./mutation.ts";

const CONSENT = "supabase/migrations/20261101001900_consent.sql";
const GALLERY = "supabase/migrations/20261101001800_gallery.sql";
const FORGET = "supabase/migrations/20261101002000_forget.sql";

/** Guards of children's pictures, of whose videos one may see and delete, and of forgetting. */
export const FORGETTING: readonly Mutation[] = [
  {
    name: "a picture is used without consent",
    file: CONSENT,
    find: "  if not app.has_consent(p_child_id) then",
    replace: "  if false then",
    why: "a child's picture goes to a third party, and nobody agreed",
    tests: ["tests/db/consent_test.ts"],
  },
  {
    name: "consent is not looked at when the picture is handed over",
    file: "supabase/migrations/20261101000900_submit.sql",
    find:
      "        when v.avatar_path is not null and not app.has_consent(v.child_id) then 'consent_withdrawn'\n",
    replace: "",
    why: "a picture goes out after its parent said no",
    tests: ["tests/db/consent_test.ts"],
  },
  {
    name: "a child's name is given out with every video of theirs",
    file: "supabase/migrations/20261101000900_submit.sql",
    find: "case when v.kind = 'rhyme' and app.has_consent",
    replace: "case when app.has_consent",
    why: "it goes where nobody needs it",
    tests: ["tests/db/consent_test.ts"],
  },
  {
    name: "an avatar may come from anywhere",
    file: "shared/doors/avatar_url.ts",
    find: "if (path?.startsWith(own) && ",
    replace: "if (path !== undefined && ",
    why: "a stranger's child is in the video",
    tests: ["tests/integration/forget_test.ts"],
  },
  {
    name: "anyone's video can be deleted",
    file: GALLERY,
    find: "where v.id = any (p_video_ids) and v.user_id = v_user_id;",
    replace: "where v.id = any (p_video_ids);",
    why: "a stranger's videos are gone",
    tests: ["tests/db/gallery_test.ts"],
  },
  {
    name: "the ledger keeps the title of a deleted video",
    file: GALLERY,
    find:
      "  update public.gem_entries e set reason = 'Deleted video' where e.video_id = any (p_video_ids);\n",
    replace: "",
    why: "a child's name and address may be in it",
    tests: ["tests/db/delete_videos_test.ts"],
  },
  {
    name: "what is under way is deleted without being cancelled",
    file: GALLERY,
    find: "    perform app.stop_video(v_video);\n",
    replace: "    null;\n",
    why: "gems are gone with the video they paid for",
    tests: ["tests/db/delete_videos_test.ts"],
  },
  {
    name: "a deleted file is believed to be gone at once",
    file: "supabase/migrations/20261101000660_deletion.sql",
    find: "    and d.written_until <= clock_timestamp()\n",
    replace: "",
    why: "what a worker still writes stays forever",
    tests: ["tests/db/delete_videos_test.ts"],
  },
  {
    name: "an erasure is closed before the files are gone",
    file: FORGET,
    find: "    or exists (select 1 from app.objects_to_delete d where d.user_id = v_user_id)",
    replace: "",
    why: "we say that all is gone, and it is not",
    tests: ["tests/db/forget_test.ts"],
  },
];

import { assertEquals } from "@std/assert";
import { type Finding, findWarnings, summarise } from "../../local/verify/advisors.ts";
import { findIssues } from "../../local/verify/lint.ts";
import { findMissingPushes, findUnapplied } from "../../local/verify/migrations.ts";
import { firstDifference } from "../../local/verify/types.ts";

const FILES = ["20261101000100_users.sql", "20261101000200_videos.sql"];

function finding(level: Finding["level"], name: string, subject: string): Finding {
  return { level, name, detail: `About ${subject}`, cacheKey: `${name}_${subject}` };
}

Deno.test("a push that leaves a migration or the seed out is found", () => {
  const answer = { upToDate: false, migrations: FILES.slice(0, 1), seeds: [] };
  assertEquals(findMissingPushes(answer, FILES), [
    '"20261101000200_videos.sql" was not applied',
    "No seed was applied",
  ]);
});

Deno.test("a migration that only one side knows is found", () => {
  const rows = [
    { local: "20261101000100", remote: "20261101000100" },
    { local: "20261101000200", remote: "" },
    { local: "", remote: "20261101000300" },
  ];
  assertEquals(findUnapplied(rows, FILES), [
    "20261101000200 is not shown as applied",
    'local "20261101000200", remote ""',
    'local "", remote "20261101000300"',
  ]);
});

Deno.test("advisors' warnings and errors are faults, information is not", () => {
  const findings = [
    finding("INFO", "unused_index", "public_videos_b"),
    finding("WARN", "function_search_path_mutable", "app_tick"),
    finding("ERROR", "rls_disabled_in_public", "public_videos"),
    finding("INFO", "unused_index", "public_videos_a"),
  ];
  assertEquals(findWarnings(findings), [
    "WARN function_search_path_mutable: About app_tick",
    "ERROR rls_disabled_in_public: About public_videos",
  ]);
  assertEquals(summarise(findings), [
    "db advisors, unused_index (2): public_videos_a, public_videos_b",
  ]);
});

Deno.test("each issue of the linter names its function", () => {
  const issues = [{ level: "error", message: 'column "gem" does not exist' }];
  assertEquals(findIssues([{ function: "public.queue_video", issues }]), [
    'public.queue_video: column "gem" does not exist (error)',
  ]);
});

Deno.test("types that differ from the database's are found at the first line that differs", () => {
  assertEquals(firstDifference("a\nb\nc\n", "a\nb\nc\n"), null);
  assertEquals(firstDifference("a\nb\nc\n", "a\nx\nc\n"), 'line 2 is "x" and must be "b"');
  assertEquals(firstDifference("a\nb", "a"), 'line 2 is "the end" and must be "b"');
});

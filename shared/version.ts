/** Versions that must fit together; a test compares them with CHANGELOG.md and deno.json. */
export const versions = { gemreel: "0.1.0", pgboss: "12.35.0" } as const;

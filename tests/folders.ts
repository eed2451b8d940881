/** What a run covers. */

const folder = (name: string) => `tests/${name}`;

/** A plain run; the suites that break things (chaos) have a size that fits. */
export const PLAIN = ["unit", "db", "contract", "integration", "e2e", "chaos"].map(folder);
/** What another version of Postgres could break: all of SQL's own, and whole lives over HTTP; and what its tools do. */
export const ON_POSTGRES = [
  folder("db"),
  folder("integration/lifecycle_test.ts"),
  folder("extensions/restore.ts"),
];

/** Arguments of `deno test`: `folders`, unless one of `args` names a file or folder. */
export async function testArguments(
  args: readonly string[],
  folders: readonly string[],
): Promise<string[]> {
  const paths = await Promise.all(args.map((arg) => Deno.stat(arg).then(() => true, () => false)));
  return paths.includes(true) ? [...args] : [...args, ...folders];
}

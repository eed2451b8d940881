/** Which folders a run covers. */

const folder = (name: string) => `tests/${name}`;

/** What the product promises of its database, when nothing is broken on purpose. */
export const ON_POSTGRES = ["db", "contract", "integration", "e2e"].map(folder);
/** A plain run: with what needs no database, and the suites that break things, at a size that fits. */
export const PLAIN = [folder("unit"), ...ON_POSTGRES, folder("chaos")];

/** Arguments of `deno test`: `folders`, unless one of `args` names a file or folder. */
export async function testArguments(
  args: readonly string[],
  folders: readonly string[],
): Promise<string[]> {
  const paths = await Promise.all(args.map((arg) => Deno.stat(arg).then(() => true, () => false)));
  return paths.includes(true) ? [...args] : [...args, ...folders];
}

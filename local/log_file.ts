/** Takes lines of text. */
export interface LogFile {
  readonly write: (line: string) => void;
  close(): void;
}

const LIMIT_BYTES = 5_000_000;

/** Appends lines to `path`, which is begun anew at the start of a run once it is large. */
export async function openLogFile(path: string): Promise<LogFile> {
  const size = await Deno.stat(path).then((info) => info.size, () => 0);
  const file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
  if (size > LIMIT_BYTES) await file.truncate();
  const encoder = new TextEncoder();
  let open = true;
  return {
    write(line) {
      if (open) file.writeSync(encoder.encode(`${new Date().toISOString()} ${line}\n`));
    },
    close() {
      if (open) file.close();
      open = false;
    },
  };
}

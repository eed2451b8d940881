/** What is wrong with the upload of one function. Pure, so that it can be tried on broken ones. */
import type { Upload, UploadedFile } from "./management_api.ts";
import type { Problems } from "./report.ts";

/** What a function's upload must be. */
export interface ExpectedUpload {
  readonly entry: string;
  readonly config: string;
  /** Paths that the entry's imports reach. */
  readonly needed: readonly string[];
  readonly verifyJwt: boolean;
  /** What the project's files hold, by path; what is uploaded must be the same. */
  readonly read: (path: string) => string | undefined;
  /** Texts that stand for secrets. */
  readonly canaries: readonly string[];
}

/** Only code of ours goes out. */
const DEPLOYABLE = /^(supabase\/functions|shared)\//;
/** Names under which people keep secrets, wherever they lie. */
const SECRET_NAME = /(^|\/)(\.env[^/]*|\.npmrc|[^/]*\.(pem|key))$/;

/** Every fault of an upload, as sentences that name the file. */
export function findUploadFaults(upload: Upload, expected: ExpectedUpload): Problems {
  const paths = new Set(upload.files.map((file) => file.path));
  const must = [...new Set([expected.entry, expected.config, ...expected.needed])];
  return [
    ...must.filter((path) => !paths.has(path)).map((path) => `"${path}" is not uploaded`),
    ...[...paths].filter((path) => !must.includes(path) && DEPLOYABLE.test(path))
      .map((path) => `"${path}" is uploaded and nothing imports it`),
    ...upload.files.flatMap((file) => fileFaults(file, expected)),
    ...metadataFaults(upload, expected),
  ];
}

function fileFaults({ path, text }: UploadedFile, expected: ExpectedUpload): Problems {
  const faults: string[] = [];
  if (!DEPLOYABLE.test(path)) faults.push(`"${path}" is uploaded and is not deployable code`);
  if (SECRET_NAME.test(path)) faults.push(`"${path}" is uploaded and may hold secrets`);
  if (expected.canaries.some((canary) => text.includes(canary))) {
    faults.push(`"${path}" is uploaded with a secret in it`);
  }
  const source = expected.read(path);
  if (source !== undefined && source !== text) faults.push(`"${path}" is uploaded changed`);
  return faults;
}

function metadataFaults({ metadata }: Upload, expected: ExpectedUpload): Problems {
  const { entrypoint_path: entry, import_map_path: config, verify_jwt: verifyJwt } = metadata;
  const faults: string[] = [];
  if (entry !== expected.entry) {
    faults.push(`The entrypoint is "${entry}", not "${expected.entry}"`);
  }
  if (config !== expected.config) {
    faults.push(`The import map is "${config ?? ""}", not "${expected.config}"`);
  }
  if (verifyJwt !== expected.verifyJwt) {
    faults.push(`verify_jwt is ${verifyJwt}, not ${expected.verifyJwt}`);
  }
  return faults;
}

/**
 * A stand-in of the Supabase Management API: takes what `functions deploy` uploads and keeps it.
 * Reference: https://supabase.com/docs/reference/api/v1-deploy-a-function
 */
import { z } from "zod";

/** One uploaded file. */
export interface UploadedFile {
  /** Path from the project's root, as the CLI names it. */
  readonly path: string;
  readonly text: string;
}

/** The platform's check of the user's JWT is on unless it is switched off. */
const verifyJwtSchema = z.boolean().default(true);

const metadataSchema = z.looseObject({
  name: z.string(),
  entrypoint_path: z.string(),
  import_map_path: z.string().optional(),
  static_patterns: z.array(z.string()).optional(),
  verify_jwt: verifyJwtSchema,
});

/** How the platform is to run a function. */
export type FunctionMetadata = z.infer<typeof metadataSchema>;

/** The upload of one function. */
export interface Upload {
  readonly slug: string;
  readonly metadata: FunctionMetadata;
  readonly files: readonly UploadedFile[];
}

/** The running stand-in. */
export interface ManagementApi {
  readonly url: string;
  readonly uploads: readonly Upload[];
  /** Functions the CLI made live, by slug, with what it said about `verify_jwt` then. */
  readonly activated: ReadonlyMap<string, boolean>;
  /** Requests it could make nothing of. */
  readonly strangers: readonly string[];
  stop(): Promise<void>;
}

/** Whom the stand-in lets in, and for which project. */
export interface ManagementApiOptions {
  readonly accessToken: string;
  readonly projectRef: string;
}

const activationSchema = z.array(z.looseObject({ slug: z.string(), verify_jwt: verifyJwtSchema }));

/** Serves the stand-in on a free port of 127.0.0.1. */
export function startManagementApi(options: ManagementApiOptions): ManagementApi {
  const uploads: Upload[] = [];
  const activated = new Map<string, boolean>();
  const strangers: string[] = [];
  const functions = `/v1/projects/${options.projectRef}/functions`;

  async function answer(request: Request): Promise<Response> {
    if (request.headers.get("authorization") !== `Bearer ${options.accessToken}`) {
      return Response.json({ message: "Unauthorized" }, { status: 401 });
    }
    const { pathname, searchParams } = new URL(request.url);
    const call = `${request.method} ${pathname}`;
    if (call === `GET /v1/projects/${options.projectRef}`) {
      return Response.json({ id: options.projectRef, ref: options.projectRef, name: "Stand-in" });
    }
    if (call === `GET ${functions}`) return Response.json([]);
    if (call === `POST ${functions}/deploy`) {
      const upload = await readUpload(searchParams.get("slug") ?? "", await request.formData());
      uploads.push(upload);
      return Response.json(describe(upload), { status: 201 });
    }
    if (call === `PUT ${functions}`) {
      const listed = activationSchema.parse(await request.json());
      for (const { slug, verify_jwt } of listed) activated.set(slug, verify_jwt);
      return Response.json({ functions: listed });
    }
    strangers.push(call);
    return Response.json({ message: "Not found" }, { status: 404 });
  }

  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) =>
      answer(request).catch((error: unknown) => {
        strangers.push(`${request.method} ${request.url}: ${error}`);
        return Response.json({ message: String(error) }, { status: 400 });
      }),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    uploads,
    activated,
    strangers,
    stop: () => server.shutdown(),
  };
}

async function readUpload(slug: string, form: FormData): Promise<Upload> {
  const metadata = metadataSchema.parse(JSON.parse(String(form.get("metadata"))));
  const files: UploadedFile[] = [];
  for (const part of form.getAll("file")) {
    if (part instanceof File) files.push({ path: part.name, text: await part.text() });
  }
  return { slug, metadata, files };
}

/** What the real API answers about a bundled function. */
function describe({ slug, metadata }: Upload): Record<string, unknown> {
  const now = Date.now();
  return {
    id: crypto.randomUUID(),
    slug,
    name: metadata.name,
    version: 1,
    status: "ACTIVE",
    verify_jwt: metadata.verify_jwt,
    entrypoint_path: metadata.entrypoint_path,
    import_map_path: metadata.import_map_path,
    import_map: metadata.import_map_path !== undefined,
    ezbr_sha256: "0".repeat(64),
    created_at: now,
    updated_at: now,
  };
}

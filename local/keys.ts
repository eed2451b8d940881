import { exportJWK, generateKeyPair, type JWK } from "jose";
import { dirname } from "node:path";
import { z } from "zod";

const jwkSchema = z.looseObject({ kty: z.string(), kid: z.string() });

const keysSchema = z.object({
  publishable: z.string(),
  secret: z.string(),
  cron: z.string(),
  /** ES256 private key, as JWK with its `kid`. */
  signingKey: jwkSchema,
  /**
   * Key of the HS256 tokens that only travel between the gateway and the auth service behind it.
   */
  innerSecret: z.string(),
  /** Key of the tokens in signed storage URLs. */
  storageSecret: z.string(),
  webhookSecret: z.string(),
});

/**
 * Every secret of one local stack. Made once, kept in its data folder, readable by its owner only.
 */
export type StackKeys = z.infer<typeof keysSchema>;

/** The keys kept in `file`, made first when the file is absent. */
export async function loadKeys(file: string): Promise<StackKeys> {
  try {
    return keysSchema.parse(JSON.parse(await Deno.readTextFile(file)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new Error(`The keys in "${file}" can't be read; remove the file to make new ones`, {
        cause: error,
      });
    }
  }
  const keys = await makeKeys();
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, JSON.stringify(keys, null, 2), { mode: 0o600 });
  return keys;
}

/** A fresh set of keys, in the shapes hosted Supabase gives them. */
export async function makeKeys(): Promise<StackKeys> {
  return {
    publishable: `sb_publishable_${apiKeyBody()}`,
    secret: `sb_secret_${apiKeyBody()}`,
    cron: `sb_secret_${apiKeyBody()}`,
    signingKey: await makeSigningKey(),
    innerSecret: randomText(48),
    storageSecret: randomText(48),
    webhookSecret: randomText(48),
  };
}

/** The public half of the signing key, as a JSON Web Key Set. */
export function publicJwks(keys: StackKeys): { keys: JWK[] } {
  const { d: _private, ...key } = keys.signingKey;
  return { keys: [{ ...key, key_ops: ["verify"] }] };
}

async function makeSigningKey(): Promise<StackKeys["signingKey"]> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return jwkSchema.parse({ ...jwk, kid: crypto.randomUUID(), alg: "ES256", use: "sig" });
}

function apiKeyBody(): string {
  return `${randomText(22)}_${randomText(8)}`;
}

/** `length` characters of [A-Za-z0-9_-], 6 random bits each. */
function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(length * 3 / 4)));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").slice(0, length);
}

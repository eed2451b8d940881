import { errors, jwtVerify, SignJWT } from "jose";
import { refuse } from "./errors.ts";

/**
 * Makes and checks the tokens of signed URLs: who holds one may read that one object until it
 * expires.
 */
export class SignedUrls {
  readonly #key: Uint8Array;

  constructor(secret: string) {
    this.#key = new TextEncoder().encode(secret);
  }

  /** The path below /storage/v1 under which `object` ("bucket/name") can be read for `seconds`. */
  async sign(object: string, seconds: number): Promise<string> {
    const token = await new SignJWT({ url: object })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuedAt()
      .setExpirationTime(`${seconds}s`)
      .sign(this.#key);
    // Not encoded: storage-js does that to the whole.
    return `/object/sign/${object}?token=${token}`;
  }

  /** Throws a `StorageError` unless `token` was made for `object` and is still good. */
  async check(object: string, token: string | null): Promise<void> {
    if (!token) throw refuse.invalidToken("Missing token");
    const { payload } = await jwtVerify(token, this.#key, { algorithms: ["HS256"] }).catch(
      (error: unknown) => {
        const expired = error instanceof errors.JWTExpired;
        throw refuse.invalidToken(
          expired ? '"exp" claim timestamp check failed' : "signature verification failed",
        );
      },
    );
    if (payload["url"] !== object) throw refuse.invalidSignature();
  }
}

/**
 * A browser's half of Web Push: the keys of a subscription, and reading what was encrypted for it.
 */
import { Buffer } from "node:buffer";
import { createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from "node:crypto";

/**
 * Makes a subscription's keys and opens messages. RFC 8291 and 8188, without any of the sender's
 * code.
 */
export class Browser {
  readonly #ecdh: ECDH = createECDH("prime256v1");
  readonly #auth = randomBytes(16);

  constructor() {
    this.#ecdh.generateKeys();
  }

  /** What the page hands to its server. */
  get keys(): { p256dh: string; auth: string } {
    return {
      p256dh: this.#ecdh.getPublicKey("base64url"),
      auth: this.#auth.toString("base64url"),
    };
  }

  /** The text of an aes128gcm body. Throws when it was not made for these keys. */
  read(body: Uint8Array): string {
    const message = Buffer.from(body);
    const salt = message.subarray(0, 16);
    const idLength = message.readUInt8(20);
    const sender = message.subarray(21, 21 + idLength);
    const sealed = message.subarray(21 + idLength);
    const shared = this.#ecdh.computeSecret(sender);
    const info = Buffer.concat([
      Buffer.from("WebPush: info\0"),
      this.#ecdh.getPublicKey(),
      sender,
    ]);
    const secret = derive(shared, this.#auth, info, 32);
    const key = derive(secret, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
    const nonce = derive(secret, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
    const decipher = createDecipheriv("aes-128-gcm", key, nonce);
    decipher.setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    // The last octet that is not zero is the delimiter of the padding.
    return padded.subarray(0, padded.lastIndexOf(2)).toString("utf8");
  }
}

function derive(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, bytes));
}

import type { Envelope } from "./errors.ts";

/** What a request comes to, before a transport makes bytes of it. */
export type Reply =
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly body: Envelope;
    readonly headers?: Readonly<Record<string, string>>;
  }
  /** A page of HTML where JSON was expected, as a proxy in between may send. */
  | { readonly kind: "page"; readonly status: number; readonly body: string }
  /** The connection is closed without an answer. */
  | { readonly kind: "drop" }
  /** No answer ever comes. */
  | { readonly kind: "silence" };

/** An answer with `status`. */
export function answer(status: number, body: Envelope, headers?: Record<string, string>): Reply {
  return { kind: "answer", status, body, ...(headers && { headers }) };
}

/**
 * The sandbox of the notification channels: Google's token endpoint and FCM, a push service with
 * browsers behind it, and the app's own backend. It checks what the real ones check, keeps what
 * arrived, and breaks on demand.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { parseJson } from "../json.ts";
import { CONTROL_PATH } from "./control_http.ts";
import { BackendSandbox } from "./notify/backend.ts";
import { failure, FcmSandbox, SEND_PATH } from "./notify/fcm.ts";
import {
  type Fault,
  fault,
  Faults,
  type Place,
  place,
  type Reply,
  sendReply,
} from "./notify/faults.ts";
import { type Arrival, Inbox } from "./notify/inbox.ts";
import { PushServiceSandbox, type Subscription } from "./notify/push_service.ts";
import { listen, makeServer, shut } from "./server.ts";

export type { Arrival } from "./notify/inbox.ts";
export type { Subscription } from "./notify/push_service.ts";

/** The levers. */
export interface NotifyControl {
  /** Everything that was taken; what was sent twice is there twice. */
  received(): readonly Arrival[];
  /** What people, and the backend's code, have seen of it. */
  shown(): readonly Arrival[];
  /** A browser subscribes; it opens what is sent to it. */
  subscribe(): Subscription;
  /** The app was removed from the phone. */
  unregister(token: string): void;
  /** The phone's token is another Firebase project's. */
  registerElsewhere(token: string): void;
  /** The person took the browser's permission back. */
  unsubscribe(endpoint: string): void;
  /** What the next requests at a place meet. */
  fail(at: Place, fault: Fault, times?: number): void;
  /** Google takes no access token back that it gave so far. */
  revokeTokens(): void;
  tokensGranted(): number;
  /** Requests to a place, whatever became of them. */
  calls(at: Place): number;
  /** Forgets what arrived, the faults, and who has left; subscriptions stay. */
  reset(): void;
}

/** A running sandbox. */
export interface NotifySandbox {
  readonly url: string;
  readonly controlUrl: string;
  /** What the functions need in their environment to send here. */
  readonly env: Readonly<Record<string, string>>;
  readonly control: NotifyControl;
  close(): Promise<void>;
}

const order = z.object({ at: place, fault, times: z.number().int().min(1).max(1_000).optional() });

/** Starts the sandbox on 127.0.0.1. Throws when the port is taken. */
export async function startNotifySandbox(
  { port: wanted = 0 }: { readonly port?: number } = {},
): Promise<NotifySandbox> {
  const inbox = new Inbox();
  const fcm = new FcmSandbox(inbox);
  const pushService = new PushServiceSandbox(inbox);
  const backend = new BackendSandbox(inbox);
  const faults = new Faults();
  const calls = new Map<Place, number>();
  let url = "";

  const control: NotifyControl = {
    received: () => [...inbox.received],
    shown: () => inbox.shown(),
    subscribe: () => pushService.subscribe(url),
    unregister: (token) => fcm.unregistered.add(token),
    registerElsewhere: (token) => fcm.elsewhere.add(token),
    unsubscribe: (endpoint) => pushService.unsubscribe(endpoint),
    fail: (at, fault, times) => faults.add(at, fault, times),
    revokeTokens: () => fcm.revokeTokens(),
    tokensGranted: () => fcm.tokensGranted,
    calls: (at) => calls.get(at) ?? 0,
    reset: () => {
      inbox.received = [];
      faults.clear();
      calls.clear();
      fcm.unregistered.clear();
      fcm.elsewhere.clear();
    },
  };

  async function answer(at: Place, request: IncomingMessage, path: string): Promise<Reply> {
    const body = await bytesOf(request);
    const text = body.toString("utf8");
    switch (at) {
      case "token":
        return await fcm.grant(text, url);
      case "fcm":
        return fcm.send(request.headers.authorization ?? "", text);
      case "web_push":
        return await pushService.send(`${url}${path}`, request.headers, body);
      case "webhook":
        return backend.receive(request.headers, text);
    }
  }

  async function meet(at: Place, request: IncomingMessage, response: ServerResponse, path: string) {
    calls.set(at, (calls.get(at) ?? 0) + 1);
    const meets = faults.take(at);
    if (meets?.fault === "status") return sendReply(response, refusal(at, meets));
    const reply = await answer(at, request, path);
    if (meets?.fault === "lostAnswer") return void request.socket.destroy();
    if (meets?.fault === "slow") {
      await new Promise((resolve) => setTimeout(resolve, meets.milliseconds));
    }
    sendReply(response, reply);
  }

  const server = makeServer(async (request, response, path) => {
    if (path === CONTROL_PATH) return await serveControl(control, request, response);
    const at = placeOf(path);
    if (at === undefined || request.method !== "POST") return sendReply(response, { status: 404 });
    await meet(at, request, response, path);
  });
  url = `http://127.0.0.1:${await listen(server, wanted)}`;
  return {
    url,
    controlUrl: `${url}${CONTROL_PATH}`,
    control,
    env: {
      FCM_SERVICE_ACCOUNT: await fcm.serviceAccount(url),
      FCM_URL: url,
      WEB_PUSH_PUBLIC_KEY: pushService.publicKey,
      WEB_PUSH_PRIVATE_KEY: pushService.privateKey,
      WEB_PUSH_SUBJECT: "mailto:sandbox@example.com",
      WEB_PUSH_HOSTS: new URL(url).host,
      APP_WEBHOOK_URL: `${url}/app-backend`,
      APP_WEBHOOK_SECRET: backend.secret,
    },
    close: () => shut(server),
  };
}

function placeOf(path: string): Place | undefined {
  if (path === "/token") return "token";
  if (path === SEND_PATH) return "fcm";
  if (path === "/app-backend") return "webhook";
  return path.startsWith("/push/") ? "web_push" : undefined;
}

function refusal(at: Place, { status, retryAfter }: Fault & { fault: "status" }): Reply {
  const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
  const words = status === 429 ? "RESOURCE_EXHAUSTED" : "UNAVAILABLE";
  return at === "fcm" ? { ...failure(status, words), headers } : { status, headers };
}

/** `GET` tells what arrived, `POST {at, fault, times}` orders faults, `DELETE` forgets. */
async function serveControl(
  control: NotifyControl,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === "DELETE") control.reset();
  if (request.method === "POST") {
    const parsed = order.safeParse(parseJson((await bytesOf(request)).toString("utf8")));
    if (!parsed.success) {
      return sendReply(response, { status: 400, body: z.treeifyError(parsed.error) });
    }
    control.fail(parsed.data.at, parsed.data.fault, parsed.data.times);
  }
  const body = { received: control.received(), shown: control.shown() };
  sendReply(response, { status: 200, body });
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

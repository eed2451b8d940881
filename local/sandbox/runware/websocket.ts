import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { answerTasks } from "./api.ts";
import { authenticationTask, refusedKey } from "./auth.ts";
import { requestError } from "./errors.ts";
import type { Parts } from "./parts.ts";
import { randomUuid } from "../random.ts";
import { answer, type Reply } from "./reply.ts";

/**
 * Every answer waits this long. `@runware/sdk-js` 1.3.2 listens for an answer only after its own
 * `send` has returned; one that comes at once, as on a laptop, is missed, and its `initialize`
 * then hangs for 60 s.
 */
const LISTENER_DELAY_MS = 20;
const POLICY_VIOLATION = 1008;
const MAX_PAYLOAD_BYTES = 64 * 2 ** 20;

/** The WebSocket door of the API: the same arrays of tasks, one answer a message. */
export class SocketDoor {
  readonly #parts: Parts;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD_BYTES });

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes over an upgrade request to `/v1`. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (client) => {
      new Session(this.#parts, client);
    });
  }

  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }
}

/** One connection. Its first message must authenticate it. */
class Session {
  readonly #parts: Parts;
  readonly #client: WebSocket;
  #authenticated = false;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: Parts, client: WebSocket) {
    this.#parts = parts;
    this.#client = client;
    this.#waitForMessage();
    client.on("message", (data) => {
      this.#waitForMessage();
      void this.#receive(data);
    });
    client.on("close", () => clearTimeout(this.#idle));
    // A frame that breaks the protocol ends this connection; there is nobody else to tell.
    client.on("error", () => client.terminate());
  }

  #waitForMessage(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#client.close(), this.#parts.knobs.values.socketIdleMs);
  }

  async #receive(data: RawData): Promise<void> {
    const { counts, delays, watchers } = this.#parts;
    counts.socketMessages++;
    const [reply] = await Promise.all([
      this.#answer(parse(data)),
      delays.wait(LISTENER_DELAY_MS),
    ]);
    watchers.changed();
    this.#send(reply);
    if (!this.#authenticated) this.#client.close(POLICY_VIOLATION);
  }

  #answer(message: unknown): Reply | Promise<Reply> {
    if (!Array.isArray(message) || message.length === 0) {
      return answer(400, requestError("invalidRequest", "A message must be an array of tasks."));
    }
    const authentication = authenticationTask(message);
    if (!authentication) {
      return this.#authenticated
        ? answerTasks(this.#parts, message)
        : answer(401, requestError("missingApiKey", "The first task must authenticate."));
    }
    const refused = refusedKey(authentication["apiKey"], this.#parts.apiKey);
    this.#authenticated = !refused;
    return refused ?? this.#welcome(authentication["connectionSessionUUID"], message.slice(1));
  }

  async #welcome(resumed: unknown, tasks: readonly unknown[]): Promise<Reply> {
    const session = typeof resumed === "string" ? resumed : randomUuid(this.#parts.random);
    const welcome = { taskType: "authentication", connectionSessionUUID: session };
    if (tasks.length === 0) return answer(200, { data: [welcome] });
    const reply = await answerTasks(this.#parts, tasks);
    if (reply.kind !== "answer") return reply;
    return { ...reply, body: { ...reply.body, data: [welcome, ...reply.body.data ?? []] } };
  }

  #send(reply: Reply): void {
    switch (reply.kind) {
      case "answer":
        return this.#client.send(JSON.stringify(reply.body));
      case "page":
        return this.#client.send(reply.body);
      case "drop":
        return this.#client.terminate();
      case "silence":
        return;
    }
  }
}

function parse(data: RawData): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}

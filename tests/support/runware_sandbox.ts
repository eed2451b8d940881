import {
  type RunwareSandbox,
  type RunwareSandboxOptions,
  startRunwareSandbox,
} from "../../local/sandbox/runware.ts";
import { isJsonObject, type JsonObject } from "../../local/sandbox/runware/errors.ts";

/** A task that the sandbox accepts. */
export const GOOD_VIDEO = {
  taskType: "videoInference",
  model: "pixverse:1@3",
  positivePrompt: "A smiling sun over green hills",
  duration: 5,
  width: 1280,
  height: 720,
  deliveryMethod: "async",
  includeCost: true,
} as const;

/** What the API answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly data: readonly JsonObject[];
  readonly errors: readonly JsonObject[];
}

/** A plain REST client of a sandbox. */
export class SandboxClient {
  constructor(readonly sandbox: RunwareSandbox) {}

  /** Posts `body` as it is. */
  raw(body: unknown, headers: HeadersInit = {}): Promise<Response> {
    return fetch(this.sandbox.url, {
      method: "POST",
      headers: { authorization: `Bearer ${this.sandbox.apiKey}`, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** Posts tasks and reads the answer. */
  async post(tasks: unknown, headers: HeadersInit = {}): Promise<ApiAnswer> {
    const response = await this.raw(tasks, headers);
    const body: unknown = await response.json();
    const list = (key: string) => {
      const value = isJsonObject(body) ? body[key] : undefined;
      return Array.isArray(value) ? value.filter(isJsonObject) : [];
    };
    return { status: response.status, data: list("data"), errors: list("errors") };
  }

  /** Submits one video; `changes` are laid over a task that is accepted. */
  async submit(changes: JsonObject = {}): Promise<ApiAnswer & { readonly taskUUID: string }> {
    const taskUUID = crypto.randomUUID();
    return { taskUUID, ...await this.post([{ ...GOOD_VIDEO, taskUUID, ...changes }]) };
  }

  /** Polls many tasks at once. */
  poll(...ids: readonly string[]): Promise<ApiAnswer> {
    return this.post(ids.map((taskUUID) => ({ taskType: "getResponse", taskUUID })));
  }

  /** Calls the control API over HTTP. */
  async control(method: "GET" | "POST", path: string, body?: unknown) {
    const response = await fetch(`${this.sandbox.controlUrl}/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    return { status: response.status, body: isJsonObject(answer) ? answer : {} };
  }
}

/** Runs `use` against a sandbox of its own. */
export async function withSandbox(
  options: RunwareSandboxOptions,
  use: (client: SandboxClient, sandbox: RunwareSandbox) => Promise<void>,
): Promise<void> {
  const sandbox = await startRunwareSandbox(options);
  try {
    await use(new SandboxClient(sandbox), sandbox);
  } finally {
    await sandbox.close();
  }
}

/** A receiver of webhooks that remembers what it was told. */
export interface Receiver {
  readonly url: string;
  readonly bodies: readonly JsonObject[];
}

/** Runs `use` with a receiver that answers its nth call with `statuses[n]`, then with 200. */
export async function withReceiver(
  statuses: readonly number[],
  use: (receiver: Receiver) => Promise<void>,
): Promise<void> {
  const bodies: JsonObject[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body: unknown = await request.json();
      if (isJsonObject(body)) bodies.push(body);
      return new Response(null, { status: statuses[bodies.length - 1] ?? 200 });
    },
  );
  try {
    await use({ url: `http://127.0.0.1:${server.addr.port}/hook?token=t`, bodies });
  } finally {
    await server.shutdown();
  }
}

import { assertEquals } from "@std/assert";
import { isJsonObject, type JsonObject } from "../../local/sandbox/runware/errors.ts";
import { GOOD_VIDEO, withSandbox } from "../support/runware_sandbox.ts";

/** A WebSocket whose messages and end can be awaited. */
class Talk {
  readonly #socket: WebSocket;
  readonly #heard: unknown[] = [];
  #notify = () => {};
  readonly closed: Promise<number>;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.closed = new Promise((resolve) => this.#socket.onclose = ({ code }) => resolve(code));
    this.#socket.onmessage = ({ data }) => {
      this.#heard.push(data);
      this.#notify();
    };
  }

  static async open(url: string): Promise<Talk> {
    const talk = new Talk(url);
    await new Promise((resolve) => talk.#socket.onopen = resolve);
    return talk;
  }

  /** Sends tasks (or any text) and resolves with the next message. */
  async say(message: unknown): Promise<JsonObject> {
    const heard = this.#heard.length;
    const next = new Promise<void>((resolve) => this.#notify = resolve);
    this.send(message);
    await next;
    const answer: unknown = JSON.parse(`${this.#heard[heard]}`);
    return isJsonObject(answer) ? answer : {};
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  async end(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }
}

const auth = (apiKey: string, more = {}) => ({ taskType: "authentication", apiKey, ...more });

Deno.test("a socket is greeted with a session after the right key, which may be resumed", async () => {
  await withSandbox({}, async (_client, { wsUrl, apiKey }) => {
    const talk = await Talk.open(`${wsUrl}?sdk=js&version=1.3.2`);
    const welcome = await talk.say([auth(apiKey)]);
    const session = JSON.stringify(welcome).match(/"connectionSessionUUID":"([^"]+)"/)?.[1];
    assertEquals(welcome, {
      data: [{ taskType: "authentication", connectionSessionUUID: session }],
    });
    const resumed = await talk.say([auth(apiKey, { connectionSessionUUID: session })]);
    assertEquals(resumed, welcome);
    assertEquals(await talk.say([{ taskType: "ping", ping: true }]), {
      data: [{ taskType: "ping", pong: true }],
    });
    await talk.end();
  });
});

Deno.test("a socket that does not begin with the right key is told so and closed", async () => {
  await withSandbox({}, async (_client, { wsUrl, control }) => {
    const task = { ...GOOD_VIDEO, taskUUID: crypto.randomUUID() };
    for (
      const [first, code] of [
        [[auth("wrong")], "invalidApiKey"],
        [[task], "missingApiKey"],
        ["not json", "invalidRequest"],
      ] as const
    ) {
      const talk = await Talk.open(wsUrl);
      assertEquals(JSON.stringify(await talk.say(first)).includes(code), true);
      assertEquals(await talk.closed, 1008);
    }
    assertEquals(control.state().counts.tasksAccepted, 0);
  });
});

Deno.test("tasks over a socket keep the same rules, in the same store, as over REST", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { wsUrl, apiKey, control }) => {
    const task = { ...GOOD_VIDEO, taskUUID: crypto.randomUUID() };
    const talk = await Talk.open(wsUrl);
    const answer = await talk.say([auth(apiKey), task]);
    assertEquals(JSON.stringify(answer["data"]).includes(task.taskUUID), true);
    const again = await client.post([task]);
    assertEquals(again.errors[0]?.["code"], "conflictTaskUUID");
    assertEquals(control.state().counts.posts, 1);
    assertEquals(control.state().counts.socketMessages, 1);
    await talk.end();
  });
});

Deno.test("a lost ack closes the socket after the task was accepted", async () => {
  await withSandbox({ knobs: { lostAck: 1 } }, async (_client, { wsUrl, apiKey, control }) => {
    const taskUUID = crypto.randomUUID();
    const talk = await Talk.open(wsUrl);
    await talk.say([auth(apiKey)]);
    talk.send([{ ...GOOD_VIDEO, taskUUID }]);
    await talk.closed;
    assertEquals(control.task(taskUUID)?.status, "processing");
  });
});

Deno.test("a socket on which nothing is said is closed", async () => {
  await withSandbox({ knobs: { socketIdleMs: 1 } }, async (_client, { wsUrl }) => {
    const talk = await Talk.open(wsUrl);
    assertEquals(typeof await talk.closed, "number");
  });
});

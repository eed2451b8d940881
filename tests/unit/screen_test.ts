/** The rules of a screen, held by the code that apps copy: docs/mobile/gemreel.ts. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { keep, newestFirst, nothing, type Video } from "../../docs/mobile/gemreel.ts";
import { Screen, type VideoState } from "../support/screen.ts";

const STAGES = ["initializing", "analyzing", "generating", "rendering", "finalizing", "completed"];

const life = (id: string): VideoState[] =>
  STAGES.map((stage, at) => ({
    ...{ id, user_id: crypto.randomUUID(), title: "Twinkle", error_message: null },
    ...{ rev: at + 1, stage, progress: at * 20, is_favorite: false },
    created_at: "2026-11-21T10:00:00+00:00",
    status: stage === "completed" ? "completed" : "processing",
  }));

/** The server's side of one video, and the answers that are on their way. */
class Server {
  readonly screen = new Screen();
  /** Whether the app has heard of the deletion. */
  hasToldDeletion = false;
  /** So few that most orders of events live through all of them. */
  readonly #states: readonly VideoState[] = life(crypto.randomUUID()).slice(-3);
  /** How many changes there were. The last one deletes the video. */
  #changes = 0;
  #questions = 0;
  /** Whether the app asked what there is after the deletion, which no answer will name then. */
  #isPassedOver = false;
  /** Whether a message of before the deletion came after that: only the next one can take it back. */
  #isOwed = false;
  readonly #answers: (() => void)[] = [];

  get isDeleted(): boolean {
    return this.#changes === this.#states.length;
  }

  /** What a select would answer. */
  get truth(): VideoState[] {
    return this.#states.slice(this.#changes, this.#changes + 1);
  }

  change(): void {
    if (!this.isDeleted) this.#changes++;
  }

  /** One of the messages sent so far arrives: late, or again. */
  tell(which: number): void {
    const state = this.#states[which % (this.#changes + 1)];
    if (state === undefined) this.#tellDeletion();
    else {
      this.screen.show(state);
      this.#isOwed ||= this.#isPassedOver;
    }
  }

  /** The app asks videos_since. The answer says what is so now, and arrives when it arrives. */
  ask({ reset }: { reset: boolean }): void {
    const since = reset ? null : this.screen.rev;
    const take = this.screen.catchUp();
    const isNews = since === null || Number(since) < this.#changes;
    const videos = isNews ? this.truth : [];
    const isTold = since !== null && isNews && this.isDeleted;
    this.#isPassedOver ||= since === null && this.isDeleted;
    const rev = String(this.#changes);
    const question = ++this.#questions;
    this.#answers.push(() => {
      const deleted = isTold ? this.#states.slice(0, 1).map(({ id }) => id) : [];
      take({ reset: since === null, rev, videos, deleted });
      this.hasToldDeletion ||= isTold && question === this.#questions;
    });
  }

  /** One of the answers under way arrives. */
  answer(which: number): void {
    const [answer] = this.#answers.splice(which % Math.max(1, this.#answers.length), 1);
    answer?.();
  }

  /** All that is due arrives: the answers, and the message of a deletion where nothing else tells it. */
  arrive(): void {
    while (this.#answers.length > 0) this.answer(0);
    if (this.#isOwed) this.#tellDeletion();
  }

  #tellDeletion(): void {
    for (const { id } of this.#states.slice(0, 1)) this.screen.remove(id);
    this.hasToldDeletion = true;
  }
}

const STEPS = {
  change: (server: Server) => server.change(),
  tell: (server: Server, which: number) => server.tell(which),
  ask: (server: Server) => server.ask({ reset: false }),
  answer: (server: Server, which: number) => server.answer(which),
  reset: (server: Server) => server.ask({ reset: true }),
};

/** Takes these steps in all orders. Whatever happens, the last sync shows what is so. */
function holds(kinds: readonly (keyof typeof STEPS)[], last: { reset: boolean }): void {
  const step = fc.tuple(fc.constantFrom(...kinds), fc.nat(5_039));
  // Left to itself it makes few lists that are long enough.
  const steps = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });
  const property = fc.property(steps, (taken) => {
    const server = new Server();
    let shown: VideoState | undefined;
    for (const [kind, which] of taken) {
      STEPS[kind](server, which);
      const [now] = server.screen.videos;
      if (now === undefined) {
        assert(shown === undefined || server.isDeleted, "it is off the screen");
      } else assert(now.rev >= (shown?.rev ?? 0), "an older state is shown");
      assert(now === undefined || !server.hasToldDeletion, "a deleted video is back");
      shown = now;
    }
    server.arrive();
    server.ask(last);
    server.arrive();
    assertEquals(server.screen.videos, server.truth);
  });
  fc.assert(property, { numRuns: 2_000 });
}

Deno.test("F38 nothing goes backwards on a screen and what was deleted stays deleted, however messages and answers are doubled, lost and out of order", () => {
  holds(["change", "tell", "ask", "answer"], { reset: false });
});

Deno.test("F38 the same where answers also start anew", () => {
  holds(["change", "tell", "ask", "answer", "reset"], { reset: true });
});

Deno.test("F38 the last state that is told while the first sync is under way stays, though the answer is older", () => {
  const [queued, , , , , completed] = life(crypto.randomUUID());
  const screen = new Screen();
  screen.show(queued);
  const take = screen.catchUp();
  screen.show(completed);
  take({ reset: true, rev: "a:1", videos: [queued], deleted: [] });
  assertEquals(screen.videos, [completed]);
  assertEquals(screen.rev, "a:1");
});

Deno.test("a reset forgets what was known before, also where it says less of a video than before", () => {
  const [earlier, later] = life(crypto.randomUUID());
  const [other] = life(crypto.randomUUID());
  const screen = new Screen();
  screen.show(later);
  screen.show(other);
  // As after a backup was restored, whose revs are smaller.
  screen.catchUp()({ reset: true, rev: "b:1", videos: [earlier], deleted: [] });
  assertEquals(screen.videos, [earlier]);
});

Deno.test("a gallery begins with what is newest, whatever arrived last: by time, then by id", () => {
  const at = (time: string, id: string): Video => ({
    ...{ id, title: "Twinkle", status: "queued", stage: "initializing", progress: 0, rev: 1 },
    ...{ error_message: null, created_at: `2026-11-21T10:00:0${time}+00:00` },
  });
  const order = [
    at("2", "a"),
    at("1.25", "a"),
    at("1.123457", "a"),
    at("1.123456", "b"),
    at("1.123456", "a"),
    at("1.1", "a"),
    at("1", "a"),
  ].map((video, place) => ({ ...video, id: `${video.id}${9 - place}` }));
  for (const arrived of [order, order.toReversed()]) {
    const kept = nothing();
    for (const video of arrived) keep(kept, video);
    assertEquals(newestFirst(kept), order);
  }
});

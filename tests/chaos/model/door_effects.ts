/** From calls of the doors that were heard to what each must have done in the model. */
import { z } from "zod";
import { addVideo, cancel, grant, type Order, orderOutcome, ring } from "./door_rules.ts";
import { answered, type Effect, onAccount, onAttempt, type Reader } from "./reading.ts";
import { expect, findAccount, Unexplained } from "./state.ts";

const refused = z.object({ error: z.string() });
const queuedVideo = z.object({ video_id: z.string(), replayed: z.boolean() });

/** How each door is read. */
export const DOORS: Readonly<Record<string, Reader>> = {
  grant_gems({ values, rows }, { effects }) {
    const [userId, gems, , , key] = z.tuple([
      z.string(),
      z.number(),
      z.string(),
      z.string(),
      z.string(),
    ]).parse(values);
    const answer = answered.parse(rows);
    const found = refused.safeParse(answer).data?.error ??
      (z.object({ replayed: z.boolean() }).parse(answer).replayed ? "replayed" : "granted");
    effects.push(onAccount(userId, (model) => {
      expect("Grant", found, grant(findAccount(model, userId), key, gems));
    }));
  },

  queue_video({ values, rows }, { effects }) {
    const [userId, price, hash, key] = z.tuple([
      z.string(),
      z.number(),
      z.string(),
      z.string().nullable(),
    ]).parse(values);
    const answer = answered.parse(rows);
    const error = refused.safeParse(answer).data?.error;
    effects.push(queueing(userId, { price, hash, key }, error ?? queuedVideo.parse(answer)));
  },

  queue_videos({ values, rows }, { effects }) {
    const orders = z.array(z.object({
      userId: z.string(),
      price: z.number(),
      hash: z.string(),
      key: z.string().nullable(),
    })).parse(values);
    const answers = z.array(z.union([
      z.object({ video: queuedVideo }).transform(({ video }) => video),
      z.object({ error: z.object({ code: z.string() }) }).transform(({ error }) => error.code),
      z.object({ busy: z.literal(true) }).transform(() => null),
    ])).parse(answered.parse(rows));
    expect("Answers", answers.length, orders.length);
    orders.forEach(({ userId, ...order }, at) => {
      const answer = answers[at] ?? null;
      const isFirst = orders.findIndex((one) => one.userId === userId) === at;
      if (!isFirst) effects.push(secondOrder(userId, answer));
      else effects.push(answer === null ? passedOver(userId) : queueing(userId, order, answer));
    });
  },

  cancel_video({ values, rows }, { effects }) {
    const [userId, videoId] = z.tuple([z.string(), z.string()]).parse(values);
    const answer = answered.parse(rows);
    const found = refused.safeParse(answer).data?.error ??
      z.object({ gems_refunded: z.number() }).parse(answer).gems_refunded;
    effects.push({
      userId,
      videoId,
      ways: [(model) => {
        const account = findAccount(model, userId);
        const video = account.videos.find((one) => one.id === videoId);
        expect("Cancelling", found, video && cancel(model, account, video));
      }],
    });
  },

  record_provider_events({ values, rows }, reading) {
    const [, id, hash] = z.tuple([z.string(), z.string(), z.string()]).rest(z.unknown()).parse(
      values,
    );
    const { events: [{ known, recorded }] } = z.object({
      events: z.tuple([z.object({ known: z.boolean(), recorded: z.boolean() })]),
    }).parse(answered.parse(rows));
    if (reading.locate(id) === undefined) return expect("Nobody's event known", known, false);
    onAttempt(reading, id, (model, { account, attempt }) => {
      expect("Event known", known, !account.gone);
      if (account.gone) return;
      expect("Event new", recorded, !model.events.includes(hash));
      if (!recorded) return;
      model.events.push(hash);
      ring(model, attempt);
    });
  },

  delete_user({ values: [id] }, { effects }) {
    const userId = z.string().parse(id);
    effects.push(onAccount(userId, (model) => {
      findAccount(model, userId).gone = true;
      model.happened.push("account deleted");
    }));
  },
};

/** What queueing did, by its answer: an error or a video. */
function queueing(
  userId: string,
  order: Order,
  answer: string | z.infer<typeof queuedVideo>,
): Effect {
  return onAccount(userId, (model) => {
    const account = findAccount(model, userId);
    const expected = orderOutcome(account, order);
    if (typeof answer === "string") return expect("Queueing", answer, expected);
    const { video_id, replayed } = answer;
    expect("Queueing", replayed ? video_id : "new", expected);
    if (!replayed) addVideo(model, account, video_id, order);
  });
}

/** One of each user is queued in a call. */
function secondOrder(userId: string, answer: unknown): Effect {
  return onAccount(userId, (model) => {
    expect("A second order", answer, findAccount(model, userId).gone ? "GM005" : null);
  });
}

/** Nothing, for another had this user in hand. */
function passedOver(userId: string): Effect {
  const never = () => {
    throw new Unexplained("A user was passed over whom nobody held");
  };
  return { ...onAccount(userId, never), passesOver: true };
}

/**
 * Firebase Cloud Messaging, HTTP v1: phones, Android and iOS alike.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
 *
 * FCM takes no id of ours and cannot tell that a message was sent twice. What makes two of them one is
 * the phone: Android's `tag` and Apple's `apns-collapse-id` have the second take the place of the first.
 * A collapse key would do so while the phone is off, but FCM keeps four of them and drops the others
 * (firebase.google.com/docs/cloud-messaging/customize-messages/collapsible-message-types).
 */
import { z } from "zod";
import { type Channel, KEPT_SECONDS, type Message, type Outcome, tagOf } from "./channel.ts";
import { type ServiceAccount, tokenSource } from "./google_token.ts";
import { type Answer, outcomeOf, post } from "./request.ts";

/** Where FCM is, and who we are there. */
export interface FcmOptions {
  readonly account: ServiceAccount;
  readonly url?: string;
  readonly now?: () => number;
}

const FCM_URL = "https://fcm.googleapis.com";
/** FCM asks for a minute where it names no time. https://firebase.google.com/docs/cloud-messaging/scale-fcm */
const RATE_WAIT_SECONDS = 60;

const failure = z.object({
  error: z.object({
    message: z.string().default(""),
    details: z.array(z.object({
      errorCode: z.string().optional(),
      fieldViolations: z.array(z.object({ field: z.string().optional() })).optional(),
    })).default([]),
  }),
});

/** Sends with the service account's key. */
export function fcmChannel({ account, url = FCM_URL, now = Date.now }: FcmOptions): Channel {
  const tokens = tokenSource(account, now);
  const target = new URL(`/v1/projects/${account.project_id}/messages:send`, url).href;
  return async (message) => {
    const got = await tokens.get().catch(() => null);
    if (got === null) return { outcome: "later", code: "service_account_unusable" };
    if ("problem" in got) return tokenProblem(got.problem);
    const answer = await post(target, {
      headers: { authorization: `Bearer ${got.token}`, "content-type": "application/json" },
      body: JSON.stringify(fcmBody(message, now())),
    });
    if (answer.status === 401) tokens.forget(got.token);
    return fcmOutcome(answer);
  };
}

function tokenProblem(problem: Answer): Outcome {
  const { waitSeconds } = problem;
  // Even a refusal may pass: somebody replaces the key. The tries are counted anyway.
  return {
    outcome: "later",
    code: problem.status === 0 ? "token_no_answer" : `token_http_${problem.status}`,
    ...(waitSeconds === undefined ? {} : { waitSeconds }),
  };
}

/** The request's body. `now` in epoch milliseconds. */
export function fcmBody(message: Message, now: number): unknown {
  const { title, body, data, imageUrl, address } = message;
  const tag = tagOf(message);
  const expires = Math.floor(now / 1_000) + KEPT_SECONDS;
  const image = imageUrl === null ? {} : { image: imageUrl };
  return {
    message: {
      token: address,
      notification: { title, body, ...image },
      data,
      android: {
        priority: "HIGH",
        ttl: `${KEPT_SECONDS}s`,
        notification: { tag },
      },
      apns: {
        headers: { "apns-collapse-id": tag, "apns-expiration": String(expires) },
        // Apple shows a picture only where the app's own extension may change the message.
        payload: {
          aps: { sound: "default", ...(imageUrl === null ? {} : { "mutable-content": 1 }) },
        },
        ...(imageUrl === null ? {} : { fcm_options: image }),
      },
    },
  };
}

/** What FCM's answer means. https://firebase.google.com/docs/cloud-messaging/error-codes */
export function fcmOutcome(answer: Answer): Outcome {
  const plain = outcomeOf(answer);
  if (answer.status === 0 || plain.outcome === "sent") return plain;
  const { message, details } = describe(answer.text);
  const codes = details.map(({ errorCode }) => errorCode);
  if (codes.includes("UNREGISTERED")) return { outcome: "gone", code: "unregistered" };
  // A service account of another project gets this for every device there is, so none is taken for dead.
  if (codes.includes("SENDER_ID_MISMATCH")) return { outcome: "refused", code: "other_sender" };
  if (answer.status === 400) {
    // The same code for an invalid token and an invalid message: only the first is the device's fault.
    const fields = details.flatMap(({ fieldViolations = [] }) => fieldViolations);
    const isToken = fields.some(({ field }) => field === "message.token") ||
      (fields.length === 0 && /registration token/i.test(message));
    return isToken
      ? { outcome: "gone", code: "invalid_token" }
      : { outcome: "refused", code: "http_400" };
  }
  if (answer.status === 429 && answer.waitSeconds === undefined) {
    return { outcome: "later", code: "http_429", waitSeconds: RATE_WAIT_SECONDS };
  }
  return plain;
}

function describe(text: string): z.infer<typeof failure>["error"] {
  try {
    return failure.parse(JSON.parse(text)).error;
  } catch {
    return { message: "", details: [] };
  }
}

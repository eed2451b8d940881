import type { Mutation } from "./mutation.ts";

const NOTIFY = "supabase/migrations/20261101001700_notify.sql";
const DB_TESTS = ["tests/db/notify_test.ts"];

/** Guards of the notifications: nobody is told twice, too often, or what is for somebody else. */
export const NOTIFYING: readonly Mutation[] = [
  {
    name: "a notification's deliveries are not queued with it",
    file: NOTIFY,
    find: "    perform app.queue_delivery(v_delivery.id, v_delivery.channel);\n",
    replace: "",
    why: "the user hears of the video when maintain comes by, or never",
    tests: DB_TESTS,
  },
  {
    name: "a sender that slept past its turn has its say",
    file: NOTIFY,
    find: "if p_outcome <> 'sent' and v_delivery.attempts <> p_attempt then",
    replace: "if false then",
    why: "what another one is about to deliver is given up",
    tests: DB_TESTS,
  },
  {
    name: "a delivery that is over can be changed",
    file: NOTIFY,
    find: "if not found or v_delivery.status <> 'pending' then",
    replace: "if not found then",
    why: "what was sent is sent again",
    tests: DB_TESTS,
  },
  {
    name: "a delivery that kills its senders is tried without end",
    file: NOTIFY,
    find: "    and d.attempts >= (select s.notify_attempts from app.settings s);\n",
    replace: "    and false;\n",
    why: "one message keeps the senders down",
    tests: DB_TESTS,
  },
  {
    name: "a device is removed though it has a new address",
    file: NOTIFY,
    find: " and d.address = p_address;",
    replace: ";",
    why: "the user hears nothing any more",
    tests: DB_TESTS,
  },
  {
    name: "a device in other hands gets what was meant for the one before",
    file: NOTIFY,
    find: "id = case when d.user_id = excluded.user_id then d.id else gen_random_uuid() end",
    replace: "id = d.id",
    why: "a stranger reads a child's story",
    tests: DB_TESTS,
  },
  {
    name: "a push endpoint may be anywhere",
    file: "shared/notify/web_push.ts",
    find: " || !isAllowed(address, hosts)",
    replace: "",
    why: "users have our servers call what they like",
    tests: ["tests/integration/notify_test.ts"],
  },
];

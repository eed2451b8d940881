import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeFrame,
  encodeBroadcast,
  encodeFrame,
  type Version,
} from "../../local/realtime/protocol.ts";

const FRAME = {
  ...{ joinRef: "1", ref: "2", topic: "realtime:room", event: "phx_join" },
  payload: { config: {} },
};

Deno.test("a frame is read back as it was written, in both versions", () => {
  for (const version of ["1.0.0", "2.0.0"] satisfies Version[]) {
    assertEquals(decodeFrame(encodeFrame(FRAME, version), version), FRAME);
  }
  assertEquals(
    decodeFrame('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"9"}', "1.0.0"),
    { joinRef: null, ref: "9", topic: "phoenix", event: "heartbeat", payload: {} },
  );
});

Deno.test("a client's binary broadcast is read, multi-byte characters and all", () => {
  const parts = ["1", "22", "realtime:räume", "groß", ""].map((text) =>
    new TextEncoder().encode(text)
  );
  const payload = new TextEncoder().encode('{"a":"ü"}');
  const bytes = [
    3,
    ...parts.map((part) => part.length),
    1,
    ...parts.flatMap((p) => [...p]),
    ...payload,
  ];
  assertEquals(decodeFrame(Uint8Array.from(bytes).buffer, "2.0.0"), {
    ...{ joinRef: "1", ref: "22", topic: "realtime:räume", event: "broadcast" },
    payload: { type: "broadcast", event: "groß", payload: { a: "ü" } },
  });
});

Deno.test("what is no frame is refused", () => {
  for (const odd of ["", "{}", "[]", "[1,2,3,4,5]", new ArrayBuffer(0), new ArrayBuffer(9), 7]) {
    assertThrows(() => decodeFrame(odd, "2.0.0"));
  }
});

Deno.test("a broadcast is text in version 1.0.0, and in 2.0.0 binary of kind 4", () => {
  const broadcast = { event: "ping", payload: { a: 1 }, meta: { id: "x" } };
  assertEquals(JSON.parse(String(encodeBroadcast("realtime:room", broadcast, "1.0.0"))), {
    ...{ join_ref: null, ref: null, topic: "realtime:room", event: "broadcast" },
    payload: { type: "broadcast", ...broadcast },
  });
  const binary = encodeBroadcast("realtime:room", broadcast, "2.0.0");
  if (typeof binary === "string") throw new Error("Text was sent");
  assertEquals([...binary.subarray(0, 5)], [4, 13, 4, 10, 1]);
  assertEquals(
    new TextDecoder().decode(binary.subarray(5)),
    'realtime:roomping{"id":"x"}{"a":1}',
  );
});

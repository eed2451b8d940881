/** Reading Server-Sent Events as an app does. */
import { z } from "zod";

/** One event. */
export interface SeenEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

/** The events of a stream until it ends. Leaving the loop early closes the connection. */
export async function* eventsOf(response: Response): AsyncGenerator<SeenEvent> {
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parse(block);
      if (event !== undefined) yield event;
    }
  }
}

/** Undefined for a comment or a bare `retry:`. */
function parse(block: string): SeenEvent | undefined {
  const field = (name: string) =>
    block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const data = field("data");
  if (data === undefined) return undefined;
  return {
    event: field("event") ?? "message",
    id: field("id"),
    data: z.record(z.string(), z.unknown()).parse(JSON.parse(data)),
  };
}

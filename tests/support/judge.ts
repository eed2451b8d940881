/** A moderation service of the operator's own. */
import { z } from "zod";

const question = z.looseObject({ words: z.record(z.string(), z.string()) });

/** What the service was asked. */
export type Question = z.infer<typeof question>;

/** A running service: how functions find it, and what it was asked, by whom. */
export interface Judge {
  readonly env: Readonly<Record<string, string>>;
  readonly asked: readonly { readonly authorization: string | null; readonly question: Question }[];
}

/** Runs `work` beside a service that refuses the field which `refused` names, if any. */
export async function withJudge(
  refused: (question: Question) => string | undefined,
  work: (judge: Judge) => Promise<void>,
): Promise<void> {
  const asked: Judge["asked"][number][] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const one = question.parse(await request.json());
    asked.push({ authorization: request.headers.get("authorization"), question: one });
    const field = refused(one);
    return Response.json(field === undefined ? { allowed: true } : { allowed: false, field });
  });
  const env = {
    MODERATION_URL: `http://127.0.0.1:${server.addr.port}/judge`,
    MODERATION_KEY: "of-the-judge",
  };
  try {
    await work({ env, asked });
  } finally {
    await server.shutdown();
  }
}

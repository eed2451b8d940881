/** The scenes of a project: checked, and each turned into the request for its clip. */
import { z } from "zod";
import type { Json } from "../db/database.types.ts";
import type { Named } from "../domain/market.ts";
import { fieldProblems } from "../http/body.ts";
import type { AdminClient } from "../http/admin_client.ts";
import { fieldMessage } from "../http/field_message.ts";
import { type FieldProblem, invalidFields } from "../http/http_error.ts";
import { assertAllowed, type Moderator } from "../moderation/moderator.ts";
import { duration } from "./fields.ts";
import { type ModelMarket, planModelDraft } from "./model_draft.ts";
import { pictureUrl } from "./picture_url.ts";
import { hashOf } from "./request_hash.ts";
import { promptWords } from "./words_fields.ts";

/** Most scenes of one project. */
const MOST_SCENES = 100;
/** A phone held upright. Where a model takes the shape from the pictures, it is theirs. */
const USUAL = { aspectRatio: "9:16" } as const;
/** Said to the model where a scene has no words of its own. */
const DEFAULT_PROMPT =
  "One continuous shot that moves smoothly and naturally from the first picture to the last";
/** Longest title of a video. */
const TITLE_MAX = 120;

/** What this deployment allows. */
export interface ClipConfig extends ModelMarket {
  readonly imageHosts: readonly string[];
  readonly moderator: Moderator;
}

/** One scene as queue_clips of the database takes it. */
export interface SceneRequest {
  readonly [field: string]: Json | undefined;
  readonly scene: string;
  /** Tells a scene whose pictures or words were changed from one that is made already. */
  readonly hash: string;
}

/** `projects.frames`: scenes by number. */
function framesSchema({ imageHosts }: Pick<ClipConfig, "imageHosts">) {
  const picture = pictureUrl(imageHosts);
  return z.record(
    z.string(),
    z.strictObject({
      first_frame: picture,
      last_frame: picture,
      duration: duration.optional(),
      prompt: promptWords().optional(),
    }),
  ).superRefine((frames, context) => {
    const names = Object.keys(frames);
    for (const name of names.filter((one) => !/^[1-9][0-9]{0,3}$/.test(one))) {
      const message = "must be the number of a scene, from 1 to 9999";
      context.addIssue({ code: "custom", path: [name], message });
    }
    if (names.length < 1 || names.length > MOST_SCENES) {
      const message = `must hold 1 to ${MOST_SCENES} scenes, and there are ${names.length}`;
      context.addIssue({ code: "custom", message });
    }
  });
}

/**
 * What is asked for each scene, in order. 422 with every field that cannot be made, named as in
 * "frames.3.last_frame", before anything is charged; also where the words are not for children.
 */
export async function sceneRequests(
  project: { readonly title: string; readonly frames: unknown },
  named: Named,
  admin: AdminClient,
  config: ClipConfig,
): Promise<SceneRequest[]> {
  const checked = z.object({ frames: framesSchema(config) }).safeParse({ frames: project.frames }, {
    error: fieldMessage,
  });
  if (!checked.success) {
    const of = (path: string) => path === "" ? "this request" : "a scene";
    throw invalidFields(422, fieldProblems(checked.error, of));
  }
  const scenes = Object.entries(checked.data.frames).sort(([a], [b]) => Number(a) - Number(b));
  await assertAllowed(config.moderator, {
    kind: "clip",
    words: {
      title: project.title,
      ...Object.fromEntries(scenes.map(([name, { prompt }]) => [`frames.${name}.prompt`, prompt])),
    },
    frames: Object.fromEntries(scenes.flatMap(([name, { first_frame, last_frame }]) => [
      [`frames.${name}.first_frame`, first_frame],
      [`frames.${name}.last_frame`, last_frame],
    ])),
  });

  const requests: SceneRequest[] = [];
  const problems = new Map<string, FieldProblem>();
  for (const [name, scene] of scenes) {
    const { prompt = DEFAULT_PROMPT, ...frames } = scene;
    const suffix = `, scene ${name}`;
    const title = project.title.slice(0, TITLE_MAX - suffix.length).toWellFormed() + suffix;
    const wish = { ...frames, ...named, title, prompt };
    const market = { makers: config.makers, usual: USUAL };
    const planned = await planModelDraft({ kind: "clip", ...wish }, admin, market);
    if ("problems" in planned) {
      for (const problem of planned.problems) {
        const field = problem.field in scene ? `frames.${name}.${problem.field}` : problem.field;
        // A model that cannot make any scene is one problem and not a hundred.
        problems.set(field, { ...problem, field });
      }
      continue;
    }
    requests.push({
      scene: name,
      hash: await hashOf(scene),
      expected_seconds: planned.expectedSeconds,
      request: planned.request,
    });
  }
  if (problems.size > 0) throw invalidFields(422, [...problems.values()]);
  return requests;
}

/** Starting a project's clips, and asking how they stand. */
import { z } from "zod";
import { readJson } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { fromRpcError } from "../http/http_error.ts";
import { LONGEST_WAIT, type WatchTools, whenAllOver } from "../status/wait.ts";
import { type ClipConfig, sceneRequests } from "./clip_scenes.ts";
import { id, modelName } from "./fields.ts";
import { answerOf, readClips, readProject } from "./project_clips.ts";
import { providerName } from "./words_fields.ts";

/** Seconds that are waited for fast clips where nobody says. */
const USUAL_WAIT = 100;

/** What `generate-clips` is asked. */
export const generateClipsBody = z.strictObject({
  project_id: id.meta({
    description: 'Its frames are the scenes by number: keys from "1" to "9999".',
  }),
  wait: z.int().min(0).max(LONGEST_WAIT).default(USUAL_WAIT).meta({
    description: "Seconds to wait for clips that are fast. The others go on by themselves.",
  }),
  provider: providerName.optional(),
  model: modelName.optional(),
});

/** What `check-clips-status` is asked. */
export const checkClipsBody = z.strictObject({ project_id: id });

/** What the door needs beside the request. */
export interface GenerateClipsTools extends WatchTools {
  readonly config: ClipConfig;
}

/**
 * POST generate-clips {project_id, wait?, provider?, model?}: charges and queues what is missing,
 * failed or was changed, all or none; answers when all clips are over, or when the time is up.
 */
export async function generateClips(
  request: Request,
  visit: UserVisit,
  { config, watcher, isolateEnd }: GenerateClipsTools,
): Promise<Response> {
  const { project_id, wait, ...maker } = await readJson(request, generateClipsBody);
  const project = await readProject(visit, project_id);
  const scenes = await sceneRequests(project, maker, visit.admin(), config);
  const { data: queued, error } = await visit.admin().rpc("queue_clips", {
    p_user_id: visit.userId,
    p_project_id: project_id,
    p_scenes: scenes,
  });
  if (error) throw fromRpcError(error);
  visit.log.info("Queued clips", { project_id, clips: queued });

  const started = await readProject(visit, project_id);
  const videos = await whenAllOver(await readClips(visit, started), {
    watcher,
    milliseconds: wait * 1_000,
    signals: [request.signal, isolateEnd],
  });
  return Response.json(answerOf(project_id, started, videos));
}

/** POST check-clips-status {project_id}: how the clips stand now. */
export async function checkClipsStatus(request: Request, visit: UserVisit): Promise<Response> {
  const { project_id } = await readJson(request, checkClipsBody);
  const project = await readProject(visit, project_id);
  return Response.json(answerOf(project_id, project, await readClips(visit, project)));
}

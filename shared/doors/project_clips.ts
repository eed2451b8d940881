/** Where the clips of a project stand, in one form for whoever asks. */
import { z } from "zod";
import type { UserVisit } from "../http/door.ts";
import { fromRpcError, HttpError } from "../http/http_error.ts";
import { readVideos } from "../status/read.ts";
import type { VideoAnswer } from "../status/video_state.ts";

const projectState = z.object({
  title: z.string(),
  frames: z.record(z.string(), z.unknown()),
  /** Ids of the newest clips, by scene. */
  clips: z.record(z.string(), z.guid()),
});

/** A project as the database tells it. */
export type ProjectState = z.infer<typeof projectState>;

const clipResult = z.object({
  scene: z.string().meta({ description: "Its number, as in frames." }),
  video_id: z.guid().nullable(),
  status: z.enum(["completed", "pending", "failed", "missing"]).meta({
    description: "missing: no clip of this scene was ever asked for, or it was deleted.",
  }),
  url: z.url().optional().meta({ description: "Signed; lives an hour." }),
  error: z.string().optional().meta({ description: "Why it failed, for people." }),
});

/** What `generate-clips` and `check-clips-status` answer. */
export const clipsAnswer = z.object({
  success: z.literal(true),
  project_id: z.guid(),
  total_clips: z.int().meta({ description: "Scenes of the project." }),
  completed: z.int(),
  pending: z.int(),
  failed: z.int(),
  all_complete: z.boolean().meta({
    description:
      "Nothing more will happen by itself: each scene has a clip that is made or failed.",
  }),
  clips: z.record(z.string(), z.union([z.url(), z.literal(["pending", "failed"])])).meta({
    description: "By the clip's video id: its signed link, or how it stands.",
  }),
  results: z.array(clipResult).meta({ description: "In the order of the scenes." }),
});

/** Where the clips of a project stand. */
export type ClipsAnswer = z.infer<typeof clipsAnswer>;
type ClipResult = z.infer<typeof clipResult>;

/** A project of this user. Throws HttpError: 404 where there is none. */
export async function readProject(visit: UserVisit, projectId: string): Promise<ProjectState> {
  const { data, error } = await visit.admin().rpc("project_state", {
    p_user_id: visit.userId,
    p_project_id: projectId,
  });
  if (error) throw fromRpcError(error);
  if (data === null) {
    throw new HttpError(404, "not_found", "There is no such project", {
      details: [{ field: "project_id", message: "is not a project of yours" }],
    });
  }
  return projectState.parse(data);
}

/** The clips of a project, with links to what is finished. */
export async function readClips(visit: UserVisit, { clips }: ProjectState): Promise<VideoAnswer[]> {
  const ids = Object.values(clips);
  return ids.length === 0 ? [] : await readVideos(visit.admin(), { userId: visit.userId, ids });
}

/** The answer about a project whose clips stand like this. */
export function answerOf(
  projectId: string,
  { frames, clips }: ProjectState,
  videos: readonly VideoAnswer[],
): ClipsAnswer {
  const byId = new Map(videos.map((video) => [video.video_id, video]));
  const results = Object.keys(frames).sort((a, b) => Number(a) - Number(b))
    .map((scene) => resultOf(scene, byId.get(clips[scene] ?? "")));
  const count = (status: ClipResult["status"]) =>
    results.filter((result) => result.status === status).length;
  return {
    success: true,
    project_id: projectId,
    total_clips: results.length,
    completed: count("completed"),
    pending: count("pending"),
    failed: count("failed"),
    all_complete: count("pending") + count("missing") === 0,
    clips: Object.fromEntries(
      results.flatMap(({ video_id, status, url }) =>
        video_id === null || status === "missing" ? [] : [[video_id, entryOf(status, url)]]
      ),
    ),
    results,
  };
}

function entryOf(status: "completed" | "pending" | "failed", url: string | undefined) {
  // A file that is being deleted has no link any more, and nothing is to be waited for.
  return status === "completed" ? url ?? "failed" : status;
}

function resultOf(scene: string, video: VideoAnswer | undefined): ClipResult {
  if (video === undefined) return { scene, video_id: null, status: "missing" };
  const { video_id, status, video_url: url, error_message: error } = video;
  switch (status) {
    case "completed":
      return { scene, video_id, status, ...(url === null ? {} : { url }) };
    case "failed":
      return { scene, video_id, status, ...(error === null ? {} : { error }) };
    case "cancelled":
      return { scene, video_id, status: "failed", error: "It was cancelled." };
    default:
      return { scene, video_id, status: "pending" };
  }
}

import type { JsonObject } from "./errors.ts";
import { refuse } from "./fields.ts";
import { isImage } from "./frames.ts";
import { randomUuid, seededRandom } from "../random.ts";

/** `imageUpload`: the image is looked at and forgotten; its id is good as a frame image. */
export function uploadImage(task: JsonObject, taskUUID: string, mediaUrl: string): JsonObject {
  const id = idOfUpload(task["image"], "image");
  return {
    taskType: "imageUpload",
    taskUUID,
    imageUUID: id,
    imageURL: `${mediaUrl}/uploads/${id}`,
  };
}

/** `mediaStorage`: the same for any medium, with `operation` `upload` or `delete`. */
export function storeMedia(task: JsonObject, taskUUID: string, mediaUrl: string): JsonObject {
  const operation = task["operation"];
  if (operation !== "upload" && operation !== "delete") {
    refuse("invalidOperation", "'operation' must be 'upload' or 'delete'.", {
      parameter: "operation",
      allowedValues: ["upload", "delete"],
    });
  }
  const id = idOfUpload(task["media"], "media");
  return {
    taskType: "mediaStorage",
    taskUUID,
    operation,
    mediaUUID: id,
    ...(operation === "upload" && { mediaURL: `${mediaUrl}/uploads/${id}` }),
  };
}

/** The same medium has the same id, so that nothing needs to be kept. */
function idOfUpload(medium: unknown, parameter: string): string {
  if (isImage(medium)) return randomUuid(seededRandom(`uploads/${medium}`));
  refuse(
    parameter === "image" ? "invalidImage" : "invalidMedia",
    `'${parameter}' must be the UUID of an upload, an http(s) URL, a data URI or base64.`,
    { parameter, type: "string" },
  );
}

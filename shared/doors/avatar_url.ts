/** Which pictures may be named by `avatar_url`: the child's own, in our own Storage, and no others. */
import { invalidFields } from "../http/http_error.ts";

/** Whose picture it has to be. */
export interface AvatarOwner {
  readonly userId: string;
  readonly childId: string;
}

/**
 * The object path in the bucket "avatars" that a link of this project's Storage names (signed, public or
 * plain): `<user_id>/<child_id>.png`. Any other address is refused with 422, so that none is ever handed
 * to a provider.
 */
export function avatarPath(
  text: string,
  projectUrl: string,
  owner: AvatarOwner,
): string {
  const base = `${projectUrl}/storage/v1/object/`;
  const [address = ""] = text.split("?", 1);
  const place = address.startsWith(base) ? address.slice(base.length) : "";
  const path = /^(?:(?:sign|public|authenticated)\/)?avatars\/([0-9a-f/-]+\.(?:png|jpg|jpeg|webp))$/
    .exec(place)?.[1];
  const own = `${owner.userId}/${owner.childId}.`.toLowerCase();
  if (path?.startsWith(own) && !path.slice(own.length).includes("/")) {
    return path;
  }
  throw invalidFields(422, [{
    field: "avatar_url",
    message: "must be a link to this child's picture in our own storage, or be left out",
    allowed: [`${base}sign/avatars/${own}png`],
  }]);
}

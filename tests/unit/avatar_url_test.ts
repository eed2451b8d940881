import { assertEquals, assertThrows } from "@std/assert";
import { avatarPath } from "../../shared/doors/avatar_url.ts";
import { queueRequestSchema } from "../../shared/doors/request_kinds.ts";
import { HttpError } from "../../shared/http/http_error.ts";

const PROJECT = "https://ref.supabase.co";
const owner = {
  userId: "0191a5f0-0000-4000-8000-000000000001",
  childId: "0191a5f0-0000-4000-8000-000000000002",
};
const own = `${owner.userId}/${owner.childId}`;
const at = (place: string) => `${PROJECT}/storage/v1/object/${place}`;

Deno.test("each form of link to the child's own picture is taken for its path", () => {
  for (const form of ["sign/", "public/", "authenticated/", ""]) {
    const url = at(`${form}avatars/${own}.png?token=x`);
    assertEquals(avatarPath(url, PROJECT, owner), `${own}.png`);
  }
  assertEquals(avatarPath(at(`sign/avatars/${own}.webp`), PROJECT, owner), `${own}.webp`);
});

Deno.test("F23 F39 any other link is refused with 422, by its name", () => {
  const links = [
    at(`sign/avatars/${owner.childId}/${owner.userId}.png`),
    at(`sign/avatars/${own}.png/../${own}.png`),
    at(`sign/avatars/${own}.svg`),
    at(`sign/avatars/${own}.`),
    at(`sign/avatars/${own}x.png`),
    at(`list/avatars/${own}.png`),
    at(`sign/other/avatars/${own}.png`),
    `http://ref.supabase.co/storage/v1/object/sign/avatars/${own}.png`,
    `https://ref.supabase.co.evil.com/storage/v1/object/sign/avatars/${own}.png`,
    `${own}.png`,
    "",
  ];
  for (const link of links) {
    const error = assertThrows(() => avatarPath(link, PROJECT, owner), HttpError, "avatar_url");
    assertEquals(error.status, 422, link);
  }
});

Deno.test("F39 a child's picture does not slip through as a frame, however the link is written", () => {
  const schema = queueRequestSchema({ imageHosts: ["ref.supabase.co"] });
  const taken = (place: string) =>
    schema.safeParse({ kind: "image", prompt: "a dragon", first_frame: at(place) }).success;
  assertEquals(taken("public/frames/dragon.png"), true);
  for (
    const place of [
      `sign/avatars/${own}.png?token=x`,
      `sign/%61vatars/${own}.png`,
      `sign/AVATARS/${own}.png`,
      `sign/x/..%2favatars/${own}.png`,
      `sign/%zz/${own}.png`,
      // The thumbnail of a video that began with it.
      `sign/videos/${owner.userId}/videos/${owner.childId}.jpg?token=x`,
      `sign/%56ideos/${owner.userId}/videos/${owner.childId}.jpg?token=x`,
    ]
  ) assertEquals(taken(place), false, place);
});

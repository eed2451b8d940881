import { assertEquals } from "@std/assert";
import { avatarLink } from "../../shared/stages/avatar_link.ts";
import { createStorageApi } from "../../shared/storage/storage_api.ts";
import { type Received, type Recorded, withRecorded } from "../support/recorded.ts";

const PATH = "parent/mia.png";

/** What a link to the picture comes to when Storage answers like this, and what Storage was asked. */
async function linkBy(answer: Recorded): Promise<{ told: string; asked: Received | undefined }> {
  let told = "";
  let asked: Received | undefined;
  await withRecorded(answer, async (url, received) => {
    const storage = createStorageApi({ url, secretKey: "sb_secret_test" });
    const got = await avatarLink(storage, PATH);
    told = "error" in got ? `${got.error.kind} ${got.error.code}` : got.link.replace(url, "");
    [asked] = received;
  });
  return { told, asked };
}

/** A refusal as Storage words it: HTTP 400, and the real status inside. */
const refusal = (statusCode: string, code: string, status = 400): Recorded => ({
  status,
  body: { statusCode, code, error: code, message: code },
});

Deno.test("a picture's link lives for twice the usual deadline of a render: a provider may fetch as late", async () => {
  const signedURL = `/object/sign/avatars/${PATH}?token=t`;
  const { told, asked } = await linkBy({ body: { signedURL } });
  assertEquals(told, `/storage/v1${signedURL}`);
  assertEquals(asked?.url.pathname, `/storage/v1/object/sign/avatars/${PATH}`);
  assertEquals(asked?.body, { expiresIn: 3_600 });
});

Deno.test("only a 404 of Storage, outside or inside, says that the picture is gone", async () => {
  const gone = [
    refusal("404", "NoSuchKey"),
    refusal("404", "NoSuchKey", 404),
    { status: 404, body: { code: "NoSuchKey", message: "Object not found" } },
  ];
  for (const answer of gone) {
    const { told } = await linkBy(answer);
    assertEquals(told, "validation avatar_missing", JSON.stringify(answer));
  }
});

Deno.test("what Storage has against us is no fault of the picture: the attempt is held", async () => {
  const ours: Recorded[] = [
    refusal("400", "InvalidJWT"),
    refusal("400", "InvalidSignature"),
    refusal("400", "TenantNotFound"),
    refusal("403", "AccessDenied"),
    refusal("503", "DatabaseConnectionLimit"),
    refusal("500", "InternalError", 500),
    { status: 400, body: "<h1>Bad Request</h1>" },
    { status: 400, body: { message: "Bad Request" } },
    { status: 401, body: { message: "Invalid API key" } },
    { body: { signedURL: "elsewhere" } },
  ];
  for (const answer of ours) {
    const { told } = await linkBy(answer);
    assertEquals(told, "server avatar_unreadable", JSON.stringify(answer));
  }
});

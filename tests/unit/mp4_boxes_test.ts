import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Mp4Boxes } from "../../shared/storage/mp4_boxes.ts";
import { makeMp4 } from "../../local/sandbox/mp4.ts";

/** A box with so many bytes inside; its length in 64 bits where asked. */
function box(
  type: string,
  inside: number,
  { long }: { long: boolean } = { long: false },
): number[] {
  const header = long ? 16 : 8;
  const bytes = new Uint8Array(header + inside);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, long ? 1 : header + inside);
  bytes.set(new TextEncoder().encode(type), 4);
  if (long) view.setBigUint64(8, BigInt(header + inside));
  return [...bytes];
}

function isCut(bytes: number[], chunk = bytes.length): boolean {
  const boxes = new Mp4Boxes();
  for (let at = 0; at < bytes.length; at += chunk) {
    boxes.add(Uint8Array.from(bytes.slice(at, at + chunk)));
  }
  return boxes.isCut;
}

Deno.test("a file is cut wherever it ends inside of a box, and nowhere else, however it arrives", () => {
  const boxes = fc.array(
    fc.record({
      type: fc.constantFrom("moov", "free", "mdat"),
      inside: fc.nat(40),
      long: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  fc.assert(fc.property(boxes, fc.integer({ min: 1, max: 50 }), fc.nat(300), (list, chunk, end) => {
    const parts = [box("ftyp", 16), ...list.map((one) => box(one.type, one.inside, one))];
    const whole = parts.flat();
    assertEquals(isCut(whole, chunk), false);
    let start = 0;
    let expected = false;
    for (const [index, part] of parts.entries()) {
      const header = list[index - 1]?.long ? 16 : 8;
      if (end >= start + header && end < start + part.length) expected = true;
      start += part.length;
    }
    assertEquals(isCut(whole.slice(0, end), chunk), expected);
  }));
});

Deno.test("a box to the end of the file, and what follows that is no box, are not our business", () => {
  const toTheEnd = [0, 0, 0, 0, ...new TextEncoder().encode("mdat")];
  assertEquals(isCut([...box("ftyp", 8), ...toTheEnd, 1, 2, 3]), false);
  assertEquals(isCut([...box("ftyp", 8), ...Array<number>(30).fill(0xee)]), false);
});

Deno.test("a real video is whole, and cut when a byte of it is missing", async () => {
  const [file] = await makeMp4({ width: 1280, height: 720, seconds: 5 }, {
    mark: "x",
    bytes: null,
  });
  if (!(file instanceof Uint8Array)) throw new Error("No file");
  const boxes = new Mp4Boxes();
  boxes.add(file);
  assertEquals(boxes.isCut, false);
  const less = new Mp4Boxes();
  less.add(file.subarray(0, -1));
  assertEquals(less.isCut, true);
});

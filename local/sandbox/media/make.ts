/**
 * Draws the sample videos of this folder: a smiling sun, clouds, hills and bouncing balls. They are
 * committed, so nobody needs to run this; it is here so that they can be made again:
 *
 *   deno run -A local/sandbox/media/make.ts        (needs `ffmpeg` with libx264)
 *
 * Everything is plain shapes of one colour, because those stay small: each file has about 120 KB at
 * most.
 */
import { SAMPLES } from "./samples.ts";

type Colour = readonly [number, number, number];

const FPS = 24;
const SKY_TOP: Colour = [126, 200, 255];
const SKY_BOTTOM: Colour = [255, 243, 214];
const WHITE: Colour = [255, 255, 255];
const INK: Colour = [92, 62, 32];
const SUN: Colour = [255, 210, 63];
const RAY: Colour = [255, 226, 128];
const HILLS: readonly {
  colour: Colour;
  base: number;
  swing: number;
  waves: number;
}[] = [
  { colour: [158, 217, 123], base: 0.72, swing: 0.05, waves: 1.6 },
  { colour: [98, 186, 97], base: 0.82, swing: 0.04, waves: 2.3 },
];
const BALLS: readonly { colour: Colour; x: number; size: number; height: number; phase: number }[] =
  [
    { colour: [239, 83, 80], x: 0.2, size: 0.075, height: 0.34, phase: 0 },
    { colour: [66, 133, 244], x: 0.42, size: 0.055, height: 0.26, phase: 0.33 },
    { colour: [171, 71, 188], x: 0.62, size: 0.065, height: 0.3, phase: 0.66 },
  ];

/** An RGB picture that shapes are painted on, with soft edges. */
class Canvas {
  readonly pixels: Uint8Array;
  readonly #sky: Uint8Array;

  constructor(readonly width: number, readonly height: number) {
    this.pixels = new Uint8Array(width * height * 3);
    this.#sky = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      const part = y / height;
      for (let c = 0; c < 3; c++) {
        const value = Math.round((SKY_TOP[c] ?? 0) * (1 - part) + (SKY_BOTTOM[c] ?? 0) * part);
        for (let x = 0; x < width; x++) this.#sky[(y * width + x) * 3 + c] = value;
      }
    }
  }

  clear(): void {
    this.pixels.set(this.#sky);
  }

  /** Paints every pixel of the box where `distance` (pixels, negative inside) is below zero. */
  paint(box: readonly [number, number, number, number], colour: Colour, distance: Distance): void {
    const [left, top, right, bottom] = box;
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(this.height, Math.ceil(bottom)); y++) {
      for (let x = Math.max(0, Math.floor(left)); x < Math.min(this.width, Math.ceil(right)); x++) {
        const cover = Math.min(1, Math.max(0, 0.5 - distance(x, y)));
        if (cover > 0) this.#blend((y * this.width + x) * 3, colour, cover);
      }
    }
  }

  ellipse(cx: number, cy: number, rx: number, ry: number, colour: Colour): void {
    const small = Math.min(rx, ry);
    this.paint(
      [cx - rx - 1, cy - ry - 1, cx + rx + 1, cy + ry + 1],
      colour,
      (x, y) => (Math.hypot((x - cx) / rx, (y - cy) / ry) - 1) * small,
    );
  }

  #blend(at: number, colour: Colour, cover: number): void {
    for (let c = 0; c < 3; c++) {
      const below = this.pixels[at + c] ?? 0;
      this.pixels[at + c] = Math.round(below + ((colour[c] ?? 0) - below) * cover);
    }
  }
}

type Distance = (x: number, y: number) => number;

function drawSun(canvas: Canvas, time: number): void {
  const unit = Math.min(canvas.width, canvas.height);
  const cx = canvas.width * 0.76;
  const cy = canvas.height * 0.26 + Math.sin(time * 1.6) * unit * 0.012;
  const r = unit * 0.13;
  const reach = r * 1.55;
  canvas.paint([cx - reach, cy - reach, cx + reach, cy + reach], RAY, (x, y) => {
    const wave = Math.cos((Math.atan2(y - cy, x - cx) + time * 0.2) * 12);
    return Math.hypot(x - cx, y - cy) - r * (1.34 + 0.16 * wave);
  });
  canvas.ellipse(cx, cy, r, r, SUN);
  const blink = time % 2.5 < 0.12 ? 0.2 : 1;
  canvas.ellipse(cx - r * 0.35, cy - r * 0.18, r * 0.09, r * 0.13 * blink, INK);
  canvas.ellipse(cx + r * 0.35, cy - r * 0.18, r * 0.09, r * 0.13 * blink, INK);
  canvas.paint([cx - r, cy, cx + r, cy + r], INK, (x, y) => {
    const ring = Math.abs(Math.hypot(x - cx, y - cy) - r * 0.52) - r * 0.05;
    return y < cy + r * 0.18 ? 1 : ring;
  });
}

function drawClouds(canvas: Canvas, time: number): void {
  const unit = Math.min(canvas.width, canvas.height);
  for (const [start, height, size] of [[0.1, 0.18, 0.075], [0.48, 0.12, 0.055]] as const) {
    const cx = canvas.width * (start + time * 0.012);
    const cy = canvas.height * height;
    const r = unit * size;
    for (const [dx, dy, part] of [[-1, 0.2, 0.7], [0, -0.15, 1], [1, 0.15, 0.75]] as const) {
      canvas.ellipse(cx + dx * r, cy + dy * r, r * part, r * part, WHITE);
    }
  }
}

function drawHills(canvas: Canvas): void {
  for (const { colour, base, swing, waves } of HILLS) {
    const top = new Float64Array(canvas.width);
    for (let x = 0; x < canvas.width; x++) {
      const angle = (x / canvas.width) * waves * Math.PI * 2;
      top[x] = canvas.height * (base + swing * Math.sin(angle));
    }
    canvas.paint(
      [0, canvas.height * (base - swing) - 1, canvas.width, canvas.height],
      colour,
      (x, y) => (top[x] ?? 0) - y,
    );
  }
}

function drawBalls(canvas: Canvas, time: number): void {
  const unit = Math.min(canvas.width, canvas.height);
  for (const { colour, x, size, height, phase } of BALLS) {
    const step = (time * 0.8 + phase) % 1;
    const lift = 4 * step * (1 - step);
    const squash = 1 - 0.18 * Math.max(0, 1 - lift * 8);
    const r = unit * size;
    const cx = canvas.width * x;
    const ground = canvas.height * 0.88;
    canvas.ellipse(cx, ground + r * 0.1, r * (1 - lift * 0.4), r * 0.18, [72, 150, 76]);
    canvas.ellipse(cx, ground - r * squash - lift * unit * height, r / squash, r * squash, colour);
    const shine = ground - r * squash * 1.35 - lift * unit * height;
    canvas.ellipse(cx - r * 0.3, shine, r * 0.2, r * 0.2, WHITE);
  }
}

async function makeVideo(
  sample: { width: number; height: number; seconds: number },
  path: string,
): Promise<void> {
  const encoder = new Deno.Command("ffmpeg", {
    args: [
      ...["-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-r", `${FPS}`],
      ...["-s", `${sample.width}x${sample.height}`, "-i", "-"],
      ...["-c:v", "libx264", "-preset", "slow", "-tune", "animation", "-crf", "38", "-g", "240"],
      ...["-pix_fmt", "yuv420p", "-movflags", "+faststart", path],
    ],
    stdin: "piped",
  }).spawn();
  const input = encoder.stdin.getWriter();
  const canvas = new Canvas(sample.width, sample.height);
  for (let frame = 0; frame < sample.seconds * FPS; frame++) {
    canvas.clear();
    for (const draw of [drawSun, drawClouds, drawHills, drawBalls]) draw(canvas, frame / FPS);
    await input.write(canvas.pixels);
  }
  await input.close();
  const { success } = await encoder.status;
  if (!success) throw new Error(`ffmpeg could not make "${path}"`);
}

for (const sample of SAMPLES) {
  const path = new URL(sample.file, import.meta.url).pathname;
  await makeVideo(sample, path);
  console.log(`${sample.file} ${(await Deno.stat(path)).size} bytes`);
}

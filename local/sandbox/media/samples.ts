/** One sample video of this folder. */
export interface Sample {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
}

const SIZES: readonly (readonly [number, number])[] = [
  [1920, 1080],
  [1080, 1920],
  [1280, 720],
  [720, 1280],
  [1080, 1080],
];

/** The sample videos of this folder: every size, short (5 s) and long (8 s). Made by make.ts. */
export const SAMPLES: readonly Sample[] = SIZES.flatMap(([width, height]) =>
  [5, 8].map((seconds) => ({ file: `${width}x${height}-${seconds}s.mp4`, width, height, seconds }))
);

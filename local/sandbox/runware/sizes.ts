/** A size in pixels, as `1280x720`. */
export type Size = `${number}x${number}`;

/** Sizes by the name of their resolution, e.g. `720p`. */
export type Tiers = Readonly<Record<string, readonly Size[]>>;

/** PixVerse. */
export const PIXVERSE: Tiers = {
  "360p": ["640x360", "480x360", "360x360", "360x480", "360x640"],
  "540p": ["960x540", "720x540", "540x540", "540x720", "540x960"],
  "720p": ["1280x720", "960x720", "720x720", "720x960", "720x1280"],
  "1080p": ["1920x1080", "1440x1080", "1080x1080", "1080x1440", "1080x1920"],
};

/** Vidu Q2 and later. */
export const VIDU: Tiers = {
  "360p": ["640x352", "544x400", "480x480", "400x544", "352x640"],
  "540p": ["960x528", "816x608", "720x720", "608x816", "528x960"],
  "720p": ["1280x720", "1104x816", "960x960", "816x1104", "720x1280"],
  "1080p": ["1920x1080", "1674x1238", "1440x1440", "1238x1674", "1080x1920"],
};

/** Vidu 2.0. */
export const VIDU_2: Tiers = {
  "360p": ["640x360", "360x360", "360x640"],
  "720p": ["1280x720", "720x720", "720x1280"],
  "1080p": ["1920x1080", "1080x1080", "1080x1920"],
};

export const SQUARE_720: Tiers = { "720p": ["1280x720", "720x720", "720x1280"] };
export const SQUARE_1080: Tiers = { "1080p": ["1920x1080", "1080x1080", "1080x1920"] };

export const KLING_3: Tiers = { "720p": ["1280x720", "960x960", "720x1280"] };
export const KLING_3_PRO: Tiers = { "1080p": ["1920x1080", "1440x1440", "1080x1920"] };

/** Seedance 1.0 Lite. */
export const SEEDANCE_LITE: Tiers = {
  "480p": ["864x480", "736x544", "640x640", "960x416", "416x960"],
  "720p": ["1248x704", "1120x832", "960x960", "1504x640", "640x1504"],
};

/** Seedance 1.0 Pro. */
export const SEEDANCE_PRO: Tiers = {
  "480p": ["864x480", "736x544", "640x640", "544x736", "480x864", "416x960", "960x416"],
  "1080p": [
    ...(["1920x1088", "1664x1248", "1440x1440", "1248x1664"] as const),
    ...(["1088x1920", "928x2176", "2176x928"] as const),
  ],
};

/** Seedance 1.0 Pro Fast: as Pro, and 720p since 2026. */
export const SEEDANCE_PRO_FAST: Tiers = {
  ...SEEDANCE_PRO,
  "720p": ["1248x704", "1120x832", "960x960", "832x1120", "704x1248"],
};

/** Seedance 1.5 Pro; of its 1080p sizes only those of 16:9, 9:16 and 1:1 are known. */
export const SEEDANCE_1_5: Tiers = {
  "480p": ["864x496", "752x560", "640x640", "560x752", "496x864", "992x432"],
  "720p": ["1280x720", "1112x834", "960x960", "834x1112", "720x1280", "1470x630"],
  "1080p": ["1920x1080", "1440x1440", "1080x1920"],
};

export const VEO: Tiers = {
  "720p": ["1280x720", "720x1280"],
  "1080p": ["1920x1080", "1080x1920"],
};

export const VEO_4K: Tiers = { ...VEO, "4k": ["3840x2160", "2160x3840"] };

export const HAILUO: Tiers = { "768p": ["1366x768"], "1080p": ["1920x1080"] };

export const RUNWAY_TURBO: Tiers = {
  "720p": ["1280x720", "720x1280", "1104x832", "832x1104", "960x960", "1584x672"],
};

export const SORA: Tiers = { "720p": ["1280x720", "720x1280"] };

/** The name of the resolution that has `size`. */
export function tierOf(tiers: Tiers, size: Size): string | undefined {
  return Object.keys(tiers).find((name) => tiers[name]?.includes(size));
}

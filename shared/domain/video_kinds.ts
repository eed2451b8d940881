/** What a video is made from: a rhyme of the catalogue, words, a picture, or two pictures. */
export const videoKinds = ["rhyme", "prompt", "image", "clip"] as const;
/** One of them. */
export type VideoKind = typeof videoKinds[number];

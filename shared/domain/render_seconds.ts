/** Seconds a render is taken to last where nothing is known of its model. */
export const USUAL_RENDER_SECONDS = 90;

/** Something that works by itself until it is stopped. */
export interface BackgroundService {
  /** Resolves when it has let go of everything it held. */
  stop(): Promise<void>;
}

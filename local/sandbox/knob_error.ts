/** Thrown by every sandbox when a knob does not exist or cannot be turned that way. */
export class KnobError extends Error {
  override readonly name = "KnobError";

  /**
   * @param field the knob that was named.
   * @param allowed the names there are, or what the knob's value may be.
   */
  constructor(message: string, readonly field: string, readonly allowed: readonly string[]) {
    super(message);
  }
}

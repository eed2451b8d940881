/** Thrown by the levers of every sandbox for a task that it does not have. */
export class NoSuchTask extends Error {
  override readonly name = "NoSuchTask";

  constructor(id: string) {
    super(`The sandbox has no task "${id}"`);
  }
}

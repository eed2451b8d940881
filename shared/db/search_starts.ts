/** Sparing searches of a queue the entries of what was taken before. */

/** Every 16th search starts from the front, to find jobs that re-entered the queue out of order. */
const WHOLE_SEARCH_EVERY = 16;

/**
 * Where to begin the next search of a queue. What is taken leaves dead entries at the front of the
 * queue's index, and while anybody holds an old snapshot they stay: each search would walk past all of
 * them. In a queue in fair order new work never sorts before what was just taken, so a search may begin
 * there. Work that comes back after a failed try may; the whole search of every few finds it.
 */
export function searchStarts() {
  const ends = new Map<string, { priority: number; searches: number }>();
  return {
    /** The priority to begin at; undefined for a whole search. */
    next(queue: string): number | undefined {
      const end = ends.get(queue);
      if (end === undefined || ++end.searches % WHOLE_SEARCH_EVERY === 0) return undefined;
      return end.priority;
    },
    /** The next search is a whole one. */
    forget(queue: string): void {
      ends.delete(queue);
    },
    /** Remembers where a full search ended. None: it was not full, so it found all there is. */
    note(queue: string, jobs: readonly { readonly priority: number }[]): void {
      if (jobs.length === 0) return void ends.delete(queue);
      const end = ends.get(queue) ?? { priority: Infinity, searches: 0 };
      // Never back up: a whole search may have ended with work that came back.
      end.priority = Math.min(end.priority, ...jobs.map((job) => job.priority));
      ends.set(queue, end);
    },
  };
}

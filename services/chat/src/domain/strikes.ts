// Counts wrong frames of one socket within a minute.

const WINDOW_MS = 60_000;

export interface Strikes {
  count: number;
  sinceMs: number;
}

/** The counter after one more strike at `nowMs`. */
export function strike(before: Strikes | undefined, nowMs: number): Strikes {
  if (!before || nowMs - before.sinceMs >= WINDOW_MS) return { count: 1, sinceMs: nowMs };
  return { count: before.count + 1, sinceMs: before.sinceMs };
}

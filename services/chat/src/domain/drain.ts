// How many sockets are told to reconnect at each step of a drain.

/** Sockets per step, at least one, so that every socket is told within the window. */
export function drainStep(
  sockets: number,
  { windowMs, ratePercentPerSecond, stepMs }: { windowMs: number; ratePercentPerSecond: number; stepMs: number },
): number {
  const byRate = (sockets * ratePercentPerSecond * stepMs) / 100_000;
  // The last tenth of the window is for those who were told last.
  const byWindow = (sockets * stepMs) / Math.max(stepMs, windowMs * 0.9);
  return Math.max(1, Math.ceil(Math.max(byRate, byWindow)));
}

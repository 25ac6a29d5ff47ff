// Waiting with exponential back-off and full jitter, and trying until a deadline.
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from './errors.ts';
import { ConfigError } from './config.ts';
import type { Log } from './log.ts';

/** Delay before try number `attempt` (0, 1, …) in milliseconds: between half and all of base · 2^attempt, at most `maxMs`. */
export function backoffMs(attempt: number, { baseMs = 100, maxMs = 5000, random = Math.random } = {}): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 20));
  return Math.round(full * (0.5 + random() / 2));
}

/**
 * Calls `attempt` until it succeeds or `timeoutMs` is over; then throws an error that names `what` and the last reason. A wrong
 * configuration (ConfigError) is thrown at once: waiting does not mend it.
 */
export async function untilReachable<T>(
  what: string,
  attempt: () => Promise<T>,
  { timeoutMs, log }: { timeoutMs: number; log: Log },
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      const delay = backoffMs(tries, { maxMs: 2000 });
      if (Date.now() + delay > deadline) {
        throw new Error(`${what} is not reachable after ${Math.round(timeoutMs / 1000)} s: ${messageOf(error)}`, { cause: error });
      }
      log.warn({ reason: messageOf(error), retryInMs: delay }, `waiting for ${what}`);
      await sleep(delay);
    }
  }
}

// Tries again while the cause is one that passes: a server that restarts, a network that is away.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, messageOf, type Log } from '@parley/kit/process';
import { StoreError } from './ports.ts';

export interface Patience {
  forMs: number;
  log: Log;
  signal: AbortSignal;
}

/** Throws what the last try threw. A cause that somebody has to remove is thrown at once. */
export async function patiently<T>(attempt: () => Promise<T>, { forMs, log, signal }: Patience): Promise<T> {
  const deadline = performance.now() + forMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const delay = backoffMs(tries, { baseMs: 2000, maxMs: 60_000 });
      if (!(error instanceof StoreError && error.passing) || performance.now() + delay > deadline) throw error;
      log.warn({ reason: messageOf(error), retryInMs: delay }, 'trying again');
      await sleep(delay, undefined, { signal });
    }
  }
}

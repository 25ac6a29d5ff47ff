// Drain: every socket is told to reconnect at a paced rate, the rest is closed with 1012 at the end of the window.
import { setTimeout as sleep } from 'node:timers/promises';
import { closeCodes } from '@parley/protocol';
import { drainStep } from '../domain/drain.ts';
import type { Session } from '../session.ts';

const STEP_MS = 100;

export interface DrainOptions {
  windowMs: number;
  ratePercentPerSecond: number;
  random?: () => number;
}

/** Resolves when no socket is left, at the latest at the end of the window plus the time a close frame needs. */
export async function drainSockets(
  sessions: ReadonlySet<Session>,
  { windowMs, ratePercentPerSecond, random = Math.random }: DrainOptions,
): Promise<void> {
  const deadline = Date.now() + windowMs;
  const waiting = [...sessions];
  const perStep = drainStep(waiting.length, { windowMs, ratePercentPerSecond, stepMs: STEP_MS });
  while (sessions.size > 0 && Date.now() < deadline) {
    for (const session of waiting.splice(0, perStep)) {
      session.send({ type: 'reconnect', after_ms: Math.round(random() * 1000), reason: 'drain' });
    }
    await sleep(STEP_MS);
  }
  for (const session of waiting) session.send({ type: 'reconnect', after_ms: Math.round(random() * 1000), reason: 'drain' });
  for (const session of [...sessions]) session.end(closeCodes.restart);
  // The close frames are still in the sockets' buffers; ending the process now would lose them.
  if (windowMs > 0) await sleep(STEP_MS);
}

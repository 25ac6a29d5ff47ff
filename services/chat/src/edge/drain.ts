// Drain: every socket is told to reconnect at a paced rate, the rest is closed with 1012 at the end of the window.
import { setTimeout as sleep } from 'node:timers/promises';
import { closeCodes } from '@parley/protocol';
import type { Health } from '@parley/kit';
import { DrainPace } from '../domain/drain.ts';
import type { Session } from '../session.ts';

const STEP_MS = 100;

/** Not ready, stop accepting, tell the sockets, close them; what was accepted is committed by the writer's own close after this. */
export async function drainEdge(
  edge: { readonly sessions: ReadonlySet<Session>; stopAccepting(): void; close(): void },
  health: Health,
  { drainWindowMs, drainRatePercentPerSecond }: { drainWindowMs: number; drainRatePercentPerSecond: number },
): Promise<void> {
  health.drain();
  edge.stopAccepting();
  await drainSockets(edge.sessions, { windowMs: drainWindowMs, ratePercentPerSecond: drainRatePercentPerSecond });
  edge.close();
}

/** The positions that clients hold mean nothing any more: they come back, learn the new epoch and refetch. */
export function restartSockets(sessions: ReadonlySet<Session>): void {
  for (const session of [...sessions]) session.end(closeCodes.restart);
}

export type ReconnectReason = 'drain' | 'rebalance';

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
  const pace = new DrainPace(waiting.length, { windowMs, ratePercentPerSecond, stepMs: STEP_MS });
  while (sessions.size > 0 && Date.now() < deadline) {
    for (const session of waiting.splice(0, pace.next())) tellToReconnect(session, random);
    await sleep(STEP_MS);
  }
  for (const session of [...sessions]) {
    tellToReconnect(session, random);
    session.end(closeCodes.restart);
  }
  // The close frames are still in the sockets' buffers; ending the process now would lose them.
  if (windowMs > 0) await sleep(STEP_MS);
}

/** Once per socket; also those that were still opening when the drain began. */
export function tellToReconnect(session: Session, random: () => number, reason: ReconnectReason = 'drain'): void {
  if (session.toldToReconnect) return;
  session.toldToReconnect = true;
  session.send({ type: 'reconnect', after_ms: Math.round(random() * 1000), reason });
}

// Drain: every socket is told to reconnect at a paced rate, the rest is closed with 1012 at the end of the window.
import { setTimeout as sleep } from 'node:timers/promises';
import { closeCodes } from '@parley/protocol';
import type { Health } from '@parley/kit/process';
import { DrainPace, STEP_MS, type DrainSettings } from '../domain/drain.ts';
import type { Session } from '../sockets/session.ts';

/** Not ready, stop accepting, tell the sockets, close them; what was accepted is committed by the writer's own close after this. */
export async function drainEdge(
  edge: { readonly sessions: ReadonlySet<Session>; stopAccepting(): void; close(): void },
  health: Health,
  settings: DrainSettings,
): Promise<void> {
  health.drain();
  edge.stopAccepting();
  await drainSockets(edge.sessions, settings);
  edge.close();
}

/** The positions that clients hold mean nothing any more: they come back, learn the new epoch and refetch. */
export function restartSockets(sessions: ReadonlySet<Session>): void {
  for (const session of [...sessions]) session.end(closeCodes.restart);
}

export type ReconnectReason = 'drain' | 'rebalance';

/** Resolves when no socket is left, at the latest at the end of the window plus the time a close frame needs. */
async function drainSockets(sessions: ReadonlySet<Session>, settings: DrainSettings): Promise<void> {
  const deadline = Date.now() + settings.drainWindowMs;
  const waiting = [...sessions];
  const pace = new DrainPace(waiting.length, settings);
  while (sessions.size > 0 && Date.now() < deadline) {
    for (const session of waiting.splice(0, pace.next())) tellToReconnect(session);
    await sleep(STEP_MS);
  }
  for (const session of [...sessions]) {
    tellToReconnect(session);
    session.end(closeCodes.restart);
  }
  // The close frames are still in the sockets' buffers; ending the process now would lose them.
  if (settings.drainWindowMs > 0) await sleep(STEP_MS);
}

/** Once per socket; also those that were still opening when the drain began. */
export function tellToReconnect(session: Session, reason: ReconnectReason = 'drain'): void {
  if (session.toldToReconnect) return;
  session.toldToReconnect = true;
  session.send({ type: 'reconnect', after_ms: Math.round(Math.random() * 1000), reason });
}

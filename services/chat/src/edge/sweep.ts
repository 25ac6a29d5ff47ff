// Once a second: sockets that have not authenticated in time, tokens that run out, readers that are too slow. One timer for all sockets.
import { AUTH_DEADLINE_MS, closeCodes } from '@parley/protocol';
import type { Session } from '../session.ts';

/** A client is warned this long before its token ends. */
const WARN_BEFORE_MS = 60_000;
/** A token may be this old before its socket is closed: a refresh may be under way. */
const LEEWAY_MS = 30_000;

/** Unsent bytes above which a socket gets no ephemeral frames. */
const SLOW_BYTES = 16 * 1024;
/** A socket that stays above that for so long does not read at all; it is told while there is still room for the close frame. */
const SLOW_MAX_MS = 10_000;

/** `slow` is kept up to date. */
export function sweep(sessions: Iterable<Session>, slow: Set<Session>, nowMs: number): void {
  for (const session of sessions) {
    if (watchBuffer(session, slow, nowMs)) continue;
    if (session.state === 'pending') {
      if (nowMs - session.openedAtMs > AUTH_DEADLINE_MS) session.end(closeCodes.auth);
      continue;
    }
    const left = (session.identity?.expiresAtMs ?? 0) - nowMs;
    if (left > WARN_BEFORE_MS) continue;
    if (left < -LEEWAY_MS) {
      session.end({ ...closeCodes.auth, reason: 'token expired' });
    } else if (!session.warnedOfExpiry) {
      session.warnedOfExpiry = true;
      session.send({ type: 'token_expiring', expires_in_ms: Math.max(0, left) });
    }
  }
}

/** Returns true when the socket was closed. */
function watchBuffer(session: Session, slow: Set<Session>, nowMs: number): boolean {
  if ((session.ws?.getBufferedAmount() ?? 0) <= SLOW_BYTES) {
    if (session.slowSinceMs !== 0) slow.delete(session);
    session.slowSinceMs = 0;
    return false;
  }
  if (session.slowSinceMs === 0) {
    session.slowSinceMs = nowMs;
    slow.add(session);
  }
  if (nowMs - session.slowSinceMs < SLOW_MAX_MS) return false;
  session.end(closeCodes.slow_consumer);
  return true;
}

// Once a second: sockets that have not authenticated in time, and tokens that run out. One timer for all sockets.
import { AUTH_DEADLINE_MS, closeCodes } from '@parley/protocol';
import type { Session } from '../session.ts';

/** A client is warned this long before its token ends. */
const WARN_BEFORE_MS = 60_000;
/** A token may be this old before its socket is closed: a refresh may be under way. */
const LEEWAY_MS = 30_000;

export function sweep(sessions: Iterable<Session>, nowMs: number): void {
  for (const session of sessions) {
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

// Once a second: sockets that have not authenticated in time, tokens that run out, readers that are too slow. One timer for all sockets.
import { AUTH_DEADLINE_MS, closeCodes } from '@parley/protocol';
import type { Session } from '../sockets/session.ts';

/** A client is warned this long before its token ends. */
const WARN_BEFORE_MS = 60_000;
/** A token may be this old before its socket is closed: a refresh may be under way. */
const LEEWAY_MS = 30_000;

/** Unsent bytes above which a socket gets no ephemeral frames. */
const SLOW_BYTES = 16 * 1024;

export interface SlowReaders {
  /** kept up to date */
  sockets: Set<Session>;
  /**
   * A socket that stays above {@link SLOW_BYTES} for so many sweeps, and of a long answer has not even taken as much, does not read at all; it is
   * told while there is still room for the close frame. Sweeps, not time: a process that was held up for seconds has not looked at its sockets
   * meanwhile.
   */
  sweepsMax: number;
}

export function sweep(sessions: Iterable<Session>, slow: SlowReaders, nowMs: number): void {
  for (const session of sessions) {
    if (watchBuffer(session, slow)) continue;
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
function watchBuffer(session: Session, { sockets, sweepsMax }: SlowReaders): boolean {
  const { paged } = session;
  // A long answer fills the buffer again and again, also of a quick reader; it may wait with little in it, too, when its next frame is large.
  if (session.bufferedBytes <= SLOW_BYTES && !paged?.blocked) {
    if (session.slowSweeps !== 0) sockets.delete(session);
    session.slowSweeps = 0;
    return false;
  }
  const written = paged?.written ?? 0;
  const goesOn = written - session.slowSinceBytes >= SLOW_BYTES;
  if (session.slowSweeps === 0 || goesOn) {
    session.slowSweeps = 1;
    session.slowSinceBytes = written;
    sockets.add(session);
    return false;
  }
  if (++session.slowSweeps <= sweepsMax) return false;
  session.end(closeCodes.slow_consumer);
  return true;
}

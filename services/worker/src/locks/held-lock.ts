// A lock that lives as long as one database connection. It counts as lost as soon as the connection is doubtful.
import { messageOf } from '@parley/kit/process';
import type { HeldLock } from './ports.ts';

/**
 * The server ends a lock connection that is silent for SERVER_PATIENCE_SECONDS, so that the lock of a frozen or unreachable holder
 * becomes free. The holder gives up before that: PING_EVERY_MS + PING_TIMEOUT_MS is well below it, so there are never two.
 */
export const SERVER_PATIENCE_SECONDS = 12;
const PING_EVERY_MS = 2000;
const PING_TIMEOUT_MS = 4000;

export interface LockConnection {
  /** Throws unless this connection still holds the lock. */
  ping: () => Promise<void>;
  /** Calls back when the connection breaks. */
  onBroken: (callback: (reason: string) => void) => void;
  /** Ends the connection, and with it the lock. */
  end: () => Promise<void>;
  /** Drops the connection without a word. */
  destroy: () => void;
}

export function holdLock({ ping, onBroken, end, destroy }: LockConnection): HeldLock {
  let isLost = false;
  let timer: NodeJS.Timeout | undefined;
  let tell: (reason: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => (tell = resolve));
  const lose = (reason: string) => {
    if (isLost) return;
    isLost = true;
    clearTimeout(timer);
    tell(reason);
    destroy();
  };
  onBroken(lose);
  const next = () => {
    timer = setTimeout(() => {
      const late = setTimeout(() => lose(`the database did not answer within ${PING_TIMEOUT_MS} ms`), PING_TIMEOUT_MS);
      ping()
        .then(
          () => !isLost && next(),
          (error: unknown) => lose(messageOf(error)),
        )
        .finally(() => clearTimeout(late));
    }, PING_EVERY_MS);
  };
  next();
  return {
    get isLost() {
      return isLost;
    },
    lost,
    async release() {
      if (isLost) return;
      isLost = true;
      clearTimeout(timer);
      await end().catch(destroy);
    },
  };
}

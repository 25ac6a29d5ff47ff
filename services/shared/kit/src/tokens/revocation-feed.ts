// The revoked tokens as Redis tells of them: each at once by pub/sub, and all that are in force from time to time, because a message may be
// lost. Whoever has a subscription hands over what it hears.
import { messageOf } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { parseRevocation, REVOCATIONS_KEY, type Revocation } from './revocation.ts';

/** How often the whole set is read: the longest time that a missed announcement stays unnoticed. */
const READ_EVERY_MS = 5000;

/** What a feed needs, and where it tells. */
export interface RevocationFeedOptions {
  /** The set of all that are in force. */
  redis: { zrangebyscore(key: string, min: number, max: '+inf'): Promise<string[]> };
  /** Also for those that were told before. */
  onRevocation: (revocation: Revocation) => void;
  log: Log;
}

/** Tells of revocations until it is closed. */
export class RevocationFeed {
  readonly #options: RevocationFeedOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RevocationFeedOptions) {
    this.#options = options;
  }

  /** Reads at an interval from now on; resolves after the first time, also when Redis is away. */
  async start(): Promise<void> {
    await this.read();
    if (!this.#closed) this.#timer ??= setInterval(() => void this.read(), READ_EVERY_MS);
  }

  /** A message of the channel; what is no revocation is logged and left. */
  receive(text: string): void {
    const revocation = parseRevocation(text);
    if (revocation) this.#options.onRevocation(revocation);
    else this.#options.log.warn('a revocation on Redis is not in the known format');
  }

  /** Never rejects: what is known stays in force, and the next time comes. */
  async read(): Promise<void> {
    const { redis, log } = this.#options;
    try {
      for (const text of await redis.zrangebyscore(REVOCATIONS_KEY, Date.now(), '+inf')) this.receive(text);
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'cannot read revocations');
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }
}

// Revoked tokens as Redis tells of them: each at once by pub/sub, and all that are in force from time to time, because a message may be lost.
import { messageOf, type Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { parseRevocation, REVOCATIONS_KEY, type Revocation } from '@parley/kit/tokens';

/** How often the whole set is read: the longest time that a missed announcement stays unnoticed. */
const READ_EVERY_MS = 5000;

export interface RedisRevocationsOptions {
  redis: RedisClient;
  onRevocation: (revocation: Revocation) => void;
  log: Log;
}

export class RedisRevocations {
  readonly #options: RedisRevocationsOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisRevocationsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#read();
    this.#timer = setInterval(() => void this.#read(), READ_EVERY_MS);
  }

  receive(text: string): void {
    const revocation = parseRevocation(text);
    if (revocation) this.#options.onRevocation(revocation);
    else this.#options.log.warn({}, 'a revocation on Redis is not in the known format');
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    try {
      for (const text of await this.#options.redis.zrangebyscore(REVOCATIONS_KEY, Date.now(), '+inf')) this.receive(text);
    } catch (error) {
      // What is in memory stays in force; the next read tries again.
      this.#options.log.debug({ reason: messageOf(error) }, 'cannot read revocations');
    }
  }
}

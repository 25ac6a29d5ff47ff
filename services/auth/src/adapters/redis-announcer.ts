// The Announcer port on Redis, and the repeater: Redis may be away or may forget, PostgreSQL does not.
import { messageOf, type Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { announceRevocation, REVOCATIONS_KEY, type Revocation } from '@parley/kit/tokens';
import { dropCachedUser } from '@parley/live';
import type { Announcer, Revocations } from '../ports.ts';

/** With the 5 s at which replicas read the set: so long may a revocation that Redis lost stay unknown to them. */
const REPEAT_EVERY_MS = 5000;
/** Rows read, and members asked for, at a time. */
const PAGE = 500;

interface AnnouncerOptions {
  redis: RedisClient;
  log: Log;
  now: () => Date;
}

export function redisAnnouncer({ redis, log, now }: AnnouncerOptions): Announcer {
  return {
    async announce(revocations) {
      const told = await Promise.allSettled(revocations.map((each) => announceRevocation(redis, each, now().getTime())));
      const lost = told.find((each) => each.status === 'rejected');
      if (lost) log.warn({ reason: messageOf(lost.reason) }, 'a revocation is not announced; it is repeated when Redis is back');
    },
    async registered(userId) {
      await dropCachedUser(redis, userId).catch((error: unknown) =>
        log.debug({ reason: messageOf(error) }, 'user cache entry not dropped'),
      );
    },
  };
}

export interface RepeaterOptions extends AnnouncerOptions {
  revocations: Revocations;
  announcer: Announcer;
}

/** Announces what is in force and not in the set on Redis. Returns how many that were. Throws when one of both is away. */
export async function repeatMissing({ redis, revocations, announcer, now }: Omit<RepeaterOptions, 'log'>): Promise<number> {
  let missing = 0;
  for (let after = 0, rows = PAGE; rows === PAGE;) {
    const page = await revocations.inForce({ at: now(), after, limit: PAGE });
    rows = page.length;
    const last = page.at(-1);
    if (!last) break;
    after = last.position;
    const lost = await notInSet(
      redis,
      page.map(({ revocation }) => revocation),
    );
    await announcer.announce(lost);
    missing += lost.length;
  }
  return missing;
}

async function notInSet(redis: RedisClient, revocations: readonly Revocation[]): Promise<Revocation[]> {
  const scores = await redis.zmscore(REVOCATIONS_KEY, ...revocations.map((each) => JSON.stringify(each)));
  return revocations.filter((_, index) => scores[index] === null);
}

/** Every replica of auth does it; what one has repeated the others find. Returns the function that ends it. */
export function repeatRevocations(options: RepeaterOptions): () => void {
  let running = false;
  const repeat = () => {
    if (running || options.redis.status !== 'ready') return;
    running = true;
    repeatMissing(options)
      .then(
        (count) => count > 0 && options.log.info({ count }, 'revocations announced again'),
        (error: unknown) => options.log.debug({ reason: messageOf(error) }, 'revocations not repeated'),
      )
      .finally(() => (running = false));
  };
  // At once when Redis is back: until then nobody hears of anything.
  options.redis.on('ready', repeat);
  const timer = setInterval(repeat, REPEAT_EVERY_MS);
  return () => {
    clearInterval(timer);
    options.redis.off('ready', repeat);
  };
}

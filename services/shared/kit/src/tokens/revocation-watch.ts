// The revoked tokens as a REST service knows them: each at once by pub/sub, and all that are in force from time to time, because a
// message may be lost. What is known stays in force while Redis is away.
import { messageOf } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { createSubscriber, type RedisClient } from '../redis/redis.ts';
import { parseRevocation, REVOCATIONS_CHANNEL, REVOCATIONS_KEY, RevocationList } from './revocation.ts';

/** How often the whole set is read: the longest time that a missed announcement stays unnoticed. */
const READ_EVERY_MS = 5000;
/** A start waits so long for the first answer; without Redis a service starts all the same. */
const FIRST_READ_MS = 1000;

export interface RevocationWatchOptions {
  redis: RedisClient;
  /** For the connection that subscribes. */
  redisUrl: string;
  name: string;
  log: Log;
}

export interface RevocationWatch {
  readonly revocations: Pick<RevocationList, 'find'>;
  close(): void;
}

/** Resolves when the revocations in force are known, or when Redis cannot be asked. */
export async function watchRevocations({ redis, redisUrl, name, log }: RevocationWatchOptions): Promise<RevocationWatch> {
  const list = new RevocationList();
  const receive = (text: string) => {
    const revocation = parseRevocation(text);
    if (revocation) list.add(revocation);
    else log.warn('a revocation on Redis is not in the known format');
  };
  const read = async () => {
    list.forgetExpired(Date.now());
    try {
      for (const text of await redis.zrangebyscore(REVOCATIONS_KEY, Date.now(), '+inf')) receive(text);
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'cannot read revocations');
    }
  };
  const subscriber = createSubscriber(redisUrl, name, log);
  subscriber.on('message', (_channel, text) => receive(text));
  // The set is read after the subscription stands: what is announced in between is in one of both.
  const onReady = () => void read();
  subscriber.on('ready', onReady);
  const subscribed = subscriber.subscribe(REVOCATIONS_CHANNEL).catch(() => undefined);
  await firstOf([Promise.all([subscribed, isReady(redis)]).then(read), refused(redis)]);
  const timer = setInterval(() => void read(), READ_EVERY_MS);
  return {
    revocations: list,
    close() {
      clearInterval(timer);
      subscriber.disconnect();
    },
  };
}

async function isReady(redis: RedisClient): Promise<void> {
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', resolve));
}

const refused = (redis: RedisClient): Promise<void> => new Promise((resolve) => redis.once('error', () => resolve()));

async function firstOf(waits: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, FIRST_READ_MS)));
  await Promise.race([...waits, late]);
  clearTimeout(timer);
}

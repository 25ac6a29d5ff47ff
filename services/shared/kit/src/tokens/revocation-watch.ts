// The revoked tokens as a REST service knows them: a list of its own, kept by a feed with a subscription of its own. What is known stays in
// force while Redis is away.
import type { Log } from '../process/log.ts';
import { createSubscriber, type RedisClient } from '../redis/redis.ts';
import { RevocationFeed } from './revocation-feed.ts';
import { REVOCATIONS_CHANNEL, RevocationList } from './revocation.ts';

/** A start waits so long for the first answer; without Redis a service starts all the same. */
const FIRST_READ_MS = 1000;
const FORGET_EVERY_MS = 5000;

/** Where the revocations come from. */
export interface RevocationWatchOptions {
  redis: RedisClient;
  /** For the connection that subscribes. */
  redisUrl: string;
  name: string;
  log: Log;
}

/** The list, until it is closed. */
export interface RevocationWatch {
  readonly revocations: Pick<RevocationList, 'find'>;
  close(): void;
}

/** Resolves when the revocations in force are known, or when Redis cannot be asked. */
export async function watchRevocations({ redis, redisUrl, name, log }: RevocationWatchOptions): Promise<RevocationWatch> {
  const list = new RevocationList();
  const feed = new RevocationFeed({ redis, log, onRevocation: (revocation) => void list.add(revocation) });
  const subscriber = createSubscriber(redisUrl, name, log);
  subscriber.on('message', (_channel, text) => feed.receive(text));
  // The set is read after the subscription stands: what is announced in between is in one of both.
  subscriber.on('ready', () => void feed.read());
  const subscribed = subscriber.subscribe(REVOCATIONS_CHANNEL).catch(() => undefined);
  await firstOf([Promise.all([subscribed, isReady(redis)]).then(() => feed.start()), refused(redis)]);
  const sweep = setInterval(() => list.forgetExpired(Date.now()), FORGET_EVERY_MS);
  return {
    revocations: list,
    close() {
      clearInterval(sweep);
      feed.close();
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

// The Users port: PostgreSQL is the truth, Redis a cache of names. However many ids: one MGET and one SELECT; however many requests at
// once: a few of both.
import { BatchLoader, messageOf, type Log } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { postgresError, translatingErrors, type PostgresPool } from '@parley/kit/sql';
import { userCacheKey } from '@parley/live';
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Users } from '../ports.ts';

/** Entries made at the same time end at different times, so that they are not all read again at once. */
const CACHE_TTL_SECONDS = 3600;
const TTL_SPREAD = 0.1;
/** Short: an id that nobody has may be somebody's soon. */
const ABSENT_TTL_SECONDS = 10;
/** Of the pool's 10 connections: without Redis other questions still find one. */
const BATCHES_AT_ONCE = 4;
const BATCH_MAX = 1000;
const IDS_MAX = 20_000;

/** What `user:{id}` holds. No e-mail: everybody's names pass through here. */
export const CachedUser = Type.Object({ id: Type.Integer({ minimum: 1 }), name: Type.Union([Type.String(), Type.Null()]) });
type CachedUser = Static<typeof CachedUser>;
const cached = TypeCompiler.Compile(CachedUser);

export interface UsersOptions {
  postgres: PostgresPool;
  redis: RedisClient;
  log: Log;
  /** Called once per batch: ids asked for, ids found in the cache. */
  observe: (asked: number, hits: number) => void;
}

/** Parts of three characters and more are found by the index users_name, where the database has it; its condition stands here too. */
export function searchStatement({ query, after = 0, limit }: Parameters<Users['search']>[0]): { text: string; values: unknown[] } {
  const select = 'SELECT id, name FROM users WHERE id > $1 AND disabled_at IS NULL';
  if (query === undefined) return { text: `${select} ORDER BY id LIMIT $2`, values: [after, limit] };
  return { text: `${select} AND name ILIKE $3 ORDER BY id LIMIT $2`, values: [after, limit, `%${query.replace(/[\\%_]/g, '\\$&')}%`] };
}

export function cachedUsers({ postgres, redis, log, observe }: UsersOptions): Users {
  const names = new BatchLoader<string>({
    atOnce: BATCHES_AT_ONCE,
    batchMax: BATCH_MAX,
    idsMax: IDS_MAX,
    async load(ids) {
      const known = await fromCache(redis, ids, log);
      observe(ids.length, known.size);
      const missing = ids.filter((id) => !known.has(id));
      if (missing.length > 0) {
        const { rows } = await postgres.query<{ id: number; name: string }>('SELECT id, name FROM users WHERE id = ANY($1::bigint[])', [
          missing,
        ]);
        const found = new Map(rows.map(({ id, name }) => [id, name]));
        for (const id of missing) known.set(id, found.get(id) ?? null);
        intoCache(
          redis,
          missing.map((id) => ({ id, name: known.get(id) ?? null })),
          log,
        );
      }
      return new Map([...known].filter((entry): entry is [number, string] => entry[1] !== null));
    },
  });
  const users: Users = {
    async account(id) {
      const { rows } = await postgres.query<{ id: number; name: string; email: string }>(
        'SELECT id, name, email::text AS email FROM users WHERE id = $1',
        [id],
      );
      return rows[0];
    },
    async active(ids) {
      if (ids.length === 0) return new Set();
      const { rows } = await postgres.query<{ id: number }>('SELECT id FROM users WHERE id = ANY($1::bigint[]) AND disabled_at IS NULL', [
        ids,
      ]);
      return new Set(rows.map((row) => row.id));
    },
    search: async (page) => (await postgres.query<{ id: number; name: string }>(searchStatement(page))).rows,
    names: (ids) => names.load(ids),
  };
  return translatingErrors(users, postgresError);
}

/** Redis away, a foreign entry, somebody else's entry under this key: the same as not cached. */
async function fromCache(redis: RedisClient, ids: readonly number[], log: Log): Promise<Map<number, string | null>> {
  const names = new Map<number, string | null>();
  try {
    const texts = await redis.mget(ids.map(userCacheKey));
    ids.forEach((id, index) => {
      const user = parse(texts[index]);
      if (user?.id === id) names.set(id, user.name);
    });
  } catch (error) {
    log.debug({ reason: messageOf(error) }, 'user cache not read');
  }
  return names;
}

function parse(text: string | null | undefined): CachedUser | undefined {
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return cached.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Nobody waits for it: the next reader finds the names or reads the database again. */
function intoCache(redis: RedisClient, users: readonly CachedUser[], log: Log): void {
  const pipeline = redis.pipeline();
  for (const { id, name } of users) pipeline.set(userCacheKey(id), JSON.stringify({ id, name }), 'EX', ttlOf(name));
  pipeline.exec().catch((error: unknown) => log.debug({ reason: messageOf(error) }, 'user cache not written'));
}

const ttlOf = (name: string | null): number =>
  name === null ? ABSENT_TTL_SECONDS : Math.round(CACHE_TTL_SECONDS * (1 - Math.random() * TTL_SPREAD));

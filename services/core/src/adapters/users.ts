// The Users port: PostgreSQL is the truth, Redis a cache of names. However many ids: one MGET and one SELECT.
import { messageOf, postgresError, translatingErrors, type Log, type PostgresPool, type RedisClient } from '@parley/kit';
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Users } from '../ports.ts';

const CACHE_TTL_SECONDS = 3600;

/** What `user:{id}` holds. No e-mail: everybody's names pass through here. */
export const CachedUser = Type.Object({ id: Type.Integer({ minimum: 1 }), name: Type.String() });
type CachedUser = Static<typeof CachedUser>;
const cached = TypeCompiler.Compile(CachedUser);
const keyOf = (id: number): string => `user:${id}`;

export interface UsersOptions {
  postgres: PostgresPool;
  redis: RedisClient;
  log: Log;
  /** Called once per lookup: ids asked for, ids found in the cache. */
  observe: (asked: number, hits: number) => void;
}

export function cachedUsers({ postgres, redis, log, observe }: UsersOptions): Users {
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
    async search({ query, after = 0, limit }) {
      const { rows } = await postgres.query<{ id: number; name: string }>(
        `SELECT id, name FROM users WHERE id > $1 AND disabled_at IS NULL AND ($2::text IS NULL OR name ILIKE $2) ORDER BY id LIMIT $3`,
        [after, query === undefined ? null : `%${query.replace(/[\\%_]/g, '\\$&')}%`, limit],
      );
      return rows;
    },
    async names(ids) {
      const wanted = [...new Set(ids)];
      if (wanted.length === 0) return new Map();
      const names = await fromCache(redis, wanted, log);
      observe(wanted.length, names.size);
      const missing = wanted.filter((id) => !names.has(id));
      if (missing.length === 0) return names;
      const { rows } = await postgres.query<CachedUser>('SELECT id, name FROM users WHERE id = ANY($1::bigint[])', [missing]);
      for (const { id, name } of rows) names.set(id, name);
      intoCache(redis, rows, log);
      return names;
    },
  };
  return translatingErrors(users, postgresError);
}

/** Redis away, a foreign entry, somebody else's entry under this key: the same as not cached. */
async function fromCache(redis: RedisClient, ids: readonly number[], log: Log): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  try {
    const texts = await redis.mget(ids.map(keyOf));
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
  for (const { id, name } of users) pipeline.set(keyOf(id), JSON.stringify({ id, name }), 'EX', CACHE_TTL_SECONDS);
  pipeline.exec().catch((error: unknown) => log.debug({ reason: messageOf(error) }, 'user cache not written'));
}

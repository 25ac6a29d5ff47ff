// The cache of names, on real Redis and PostgreSQL: what a burst costs the database, what is remembered and for how long.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { createPostgres, type PostgresPool } from '@parley/kit/sql';
import { dropCachedUser } from '@parley/live';
import { cachedUsers } from '../../../services/core/src/adapters/users.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { log } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

let servers: Servers<'postgres' | 'redis'>;
let postgres: PostgresPool;
let redis: RedisClient;
const USERS = 1000;
const everybody = Array.from({ length: USERS }, (_, index) => index + 1);

before(async () => {
  servers = await startServers(['postgres', 'redis'], { own: true });
  postgres = createPostgres(servers.postgres.url, { log });
  await postgres.query('CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, disabled_at timestamptz)');
  await postgres.query(`INSERT INTO users SELECT n, 'name ' || n, 'u' || n || '@example.org' FROM generate_series(1, ${USERS}) n`);
  redis = createRedis(servers.redis.url, 'test', log);
  await eventually('redis client is connected', () => redis.status === 'ready');
});
after(async () => {
  redis.disconnect();
  await postgres.end();
  await servers.stop();
});

/** One core's cache, with what it asks the database: queries, and how many at once. */
function oneCore() {
  const seen = { queries: 0, underWay: 0, atOnce: 0, hits: 0 };
  const counting = new Proxy(postgres, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name) as unknown;
      return async (text: string, values: unknown[]) => {
        seen.queries++;
        seen.atOnce = Math.max(seen.atOnce, ++seen.underWay);
        try {
          return await target.query(text, values);
        } finally {
          seen.underWay--;
        }
      };
    },
  });
  const users = cachedUsers({ postgres: counting, redis, log, observe: (_, hits) => void (seen.hits += hits) });
  return { users, seen };
}

test('1,000 requests for a name that has just expired cost one query', async () => {
  await redis.flushall();
  const { users, seen } = oneCore();
  const answers = await Promise.all(everybody.map(() => users.names([5])));
  assert.ok(answers.every((names) => names.get(5) === 'name 5'));
  assert.equal(seen.queries, 1);
  await eventually('the entry is written', async () => (await redis.exists('user:5')) === 1);
  assert.equal((await users.names([5])).get(5), 'name 5');
  assert.deepEqual([seen.queries, seen.hits], [1, 1]);
});

test('1,000 requests for 1,000 names at once cost a few queries, one per name at most', async () => {
  await redis.flushall();
  const { users, seen } = oneCore();
  const answers = await Promise.all(everybody.map((id) => users.names([id])));
  assert.deepEqual(
    answers.map((names, index) => names.get(index + 1)),
    everybody.map((id) => `name ${id}`),
  );
  assert.ok(seen.queries <= 10 && seen.atOnce <= 4, JSON.stringify(seen));
});

test('without Redis the names come from PostgreSQL, over four connections at most', async () => {
  await servers.redis.stop();
  const { users, seen } = oneCore();
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(everybody.map((id) => users.names([id, 1])));
    assert.ok(answers.every((names, index) => names.get(index + 1) === `name ${index + 1}` && names.get(1) === 'name 1'));
  }
  assert.ok(seen.atOnce <= 4 && seen.queries <= 60, JSON.stringify(seen));
  await servers.start('redis');
  await eventually('redis is back', async () => (await redis.ping().catch(() => '')) === 'PONG');
});

test('that an id is nobody is remembered for seconds, and forgotten when somebody registers', async () => {
  await redis.flushall();
  const { users, seen } = oneCore();
  assert.equal((await users.names([USERS + 1])).size, 0);
  await eventually('the entry is written', async () => (await redis.get(`user:${USERS + 1}`)) === `{"id":${USERS + 1},"name":null}`);
  const ttl = await redis.ttl(`user:${USERS + 1}`);
  assert.ok(ttl > 0 && ttl <= 10, `ttl ${ttl}`);
  assert.equal((await users.names([USERS + 1])).size, 0);
  assert.equal(seen.queries, 1);
  await postgres.query('INSERT INTO users VALUES ($1, $2, $3)', [USERS + 1, 'late', 'late@example.org']);
  await dropCachedUser(redis, USERS + 1);
  assert.equal((await users.names([USERS + 1])).get(USERS + 1), 'late');
});

test('entries made together do not end together', async () => {
  await redis.flushall();
  const { users } = oneCore();
  await users.names(everybody);
  await eventually('the entries are written', async () => (await redis.dbsize()) === USERS);
  const ttls = await Promise.all(everybody.map((id) => redis.ttl(`user:${id}`)));
  assert.ok(ttls.every((ttl) => ttl > 3200 && ttl <= 3600));
  assert.ok(new Set(ttls).size > 100, `${new Set(ttls).size} different ends`);
});

test('a database that fails is told to everybody who waited, and the next request asks again', async () => {
  await redis.flushall();
  const { users } = oneCore();
  await servers.postgres.stop();
  const answers = await Promise.allSettled([users.names([9]), users.names([9]), users.names([10])]);
  assert.deepEqual(
    answers.map((each) => each.status === 'rejected' && (each.reason as { code: string }).code),
    Array(3).fill('unavailable'),
  );
  await servers.start('postgres');
  await eventually('names are there again', async () => (await users.names([9]).catch(() => undefined))?.get(9) === 'name 9');
});

// The search of users by a part of their name in a database with 100,000 of them, with the index and without.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { userMigrations } from '@parley/auth';
import { createRedis } from '@parley/kit/redis';
import { createPostgres, migrate, postgresMigrations, type PostgresPool } from '@parley/kit/sql';
import pg from 'pg';
import { cachedUsers, searchStatement } from '../../../services/core/src/adapters/users.ts';
import type { Users } from '../../../services/core/src/ports.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { log } from './core-stack.ts';

type Page = Parameters<Users['search']>[0];
interface PlanNode {
  'Index Name'?: string;
  Plans?: PlanNode[];
}

const USERS = 100_000;
let servers: Servers<'postgres' | 'redis'>;
before(async () => {
  servers = await startServers(['postgres', 'redis'], { own: ['postgres'] });
});
after(() => servers?.stop());

async function withDatabase(url: string, work: (postgres: PostgresPool, users: Users) => Promise<void>): Promise<void> {
  const postgres = createPostgres(url, { log });
  const redis = createRedis(servers.redis.url, 'test', log);
  try {
    const client = await postgres.connect();
    await migrate(postgresMigrations(client), userMigrations(), log);
    client.release();
    await work(postgres, cachedUsers({ postgres, redis, log, observe: () => {} }));
  } finally {
    redis.disconnect();
    await postgres.end();
  }
}

/** Over a connection without the time limits of a service: so many rows take as long as they take. */
async function fill(url: string): Promise<void> {
  const postgres = new pg.Client({ connectionString: url });
  await postgres.connect();
  await postgres.query(
    `INSERT INTO users (id, name, email, password_hash, disabled_at)
     SELECT n, 'user ' || md5(n::text), n || '@example.org', 'x', CASE WHEN n = 3 THEN now() END FROM generate_series(1, ${USERS}) n`,
  );
  for (const [id, name] of Object.entries({ 1: 'Zoë Quartz', 2: 'QUARTZ 100%', 3: 'quartz, disabled', 99_999: 'a_quartz' }))
    await postgres.query('UPDATE users SET name = $2 WHERE id = $1', [id, name]);
  await postgres.query('VACUUM ANALYZE users');
  await postgres.end();
}

async function indexesOf(postgres: PostgresPool, page: Page): Promise<string[]> {
  const { text, values } = searchStatement(page);
  const { rows } = await postgres.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (FORMAT JSON) ${text}`, values);
  const names = (node: PlanNode | undefined): string[] =>
    node ? [...(node['Index Name'] ? [node['Index Name']] : []), ...(node.Plans ?? []).flatMap(names)] : [];
  return names(rows[0]?.['QUERY PLAN'][0].Plan);
}

async function findsAll(users: Users): Promise<void> {
  const ids = async (page: Omit<Page, 'limit'>, limit = 51) => (await users.search({ ...page, limit })).map(({ id }) => id);
  assert.deepEqual(await ids({ query: 'quartz' }), [1, 2, 99_999]);
  assert.deepEqual(await ids({ query: 'quartz' }, 2), [1, 2]);
  assert.deepEqual(await ids({ query: 'Quartz', after: 1 }), [2, 99_999]);
  assert.deepEqual(await ids({ query: '100%' }), [2]);
  assert.deepEqual(await ids({ query: 'a_q' }), [99_999]);
  assert.deepEqual(await ids({ query: 'zOË' }), [1]);
  assert.deepEqual(await ids({ query: 'ë' }), [1]);
  assert.deepEqual(await ids({ query: 'no such name' }), []);
  assert.deepEqual(await ids({ after: 99_998 }), [99_999, 100_000]);
}

test('a part of a name is looked up in the index, on the first page and on later ones', async () => {
  await withDatabase(servers.postgres.url, async (postgres, users) => {
    await fill(servers.postgres.url);
    for (const page of [
      { query: 'quartz', limit: 51 },
      { query: 'quartz', limit: 101, after: 5 },
      { query: 'Zoë', limit: 2 },
      { query: '100%', limit: 51 },
    ])
      assert.deepEqual(await indexesOf(postgres, page), ['users_name'], JSON.stringify(page));
    assert.deepEqual(await indexesOf(postgres, { limit: 51 }), ['users_pkey']);
    await findsAll(users);
  });
});

test('a role that may create no extension gets its schema all the same, and finds the same users', async () => {
  const admin = new URL(servers.postgres.url);
  admin.username = 'postgres';
  const plain = new URL(servers.postgres.url);
  plain.pathname = admin.pathname = '/plain';
  const run = async (url: URL, sql: string) => {
    const pool = createPostgres(url.href, { log, max: 1 });
    await pool.query(sql).finally(() => pool.end());
  };
  const first = new URL(admin);
  first.pathname = '/postgres';
  await run(first, 'CREATE DATABASE plain');
  await run(admin, 'GRANT CREATE ON SCHEMA public TO parley');
  await withDatabase(plain.href, async (postgres, users) => {
    await fill(plain.href);
    const { rows } = await postgres.query("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'");
    assert.equal(rows.length, 0, 'the role could create it');
    assert.ok(!(await indexesOf(postgres, { query: 'quartz', limit: 51 })).includes('users_name'));
    await findsAll(users);
  });
});

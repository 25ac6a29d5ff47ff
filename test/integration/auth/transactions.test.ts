// A transaction of auth that the database ends for the sake of another one is done again, and its caller hears nothing of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLog } from '@parley/kit/process';
import { createPostgres, type PostgresPool } from '@parley/kit/sql';
import { inTransaction } from '../../../services/auth/src/adapters/postgres-transaction.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';

let servers: Servers<'postgres'>;
let pool: PostgresPool;
before(async () => {
  servers = await startServers(['postgres']);
  pool = createPostgres(servers.postgres.url, { log: createLog({ service: 'test', instance: 'test', level: 'fatal' }) });
  await pool.query('CREATE TABLE counters (id int PRIMARY KEY, value int NOT NULL)');
  await pool.query('INSERT INTO counters VALUES (1, 0), (2, 0)');
});
after(async () => {
  await pool?.end();
  await servers?.stop();
});

test('two transactions that lock two rows in opposite order both come to their end', async () => {
  let runs = 0;
  // Each waits after its first row until the other one has its own: the database has to end one of them.
  const both = { first: 0, go: () => {} };
  const met = new Promise<void>((resolve) => (both.go = resolve));
  const add = (order: readonly [number, number]) =>
    inTransaction(pool, async (client) => {
      runs++;
      await client.query('UPDATE counters SET value = value + 1 WHERE id = $1', [order[0]]);
      if (++both.first === 2) both.go();
      await met;
      await client.query('UPDATE counters SET value = value + 1 WHERE id = $1', [order[1]]);
    });
  await Promise.all([add([1, 2]), add([2, 1])]);
  const { rows } = await pool.query<{ value: number }>('SELECT value FROM counters ORDER BY id');
  assert.deepEqual(rows, [{ value: 2 }, { value: 2 }]);
  assert.equal(runs, 3, 'one of them ran twice');
});

test('what always loses is told in the end', async () => {
  let runs = 0;
  const losing = inTransaction(pool, () => {
    runs++;
    return Promise.reject(Object.assign(new Error('could not serialize access'), { code: '40001' }));
  });
  await assert.rejects(losing, { code: '40001' });
  assert.equal(runs, 4);
});

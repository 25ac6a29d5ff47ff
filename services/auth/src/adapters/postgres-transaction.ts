// One transaction on one connection of the pool, repeated when the database chose it as the victim of a deadlock. What fails is rolled back;
// a connection that cannot even do that is thrown away.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@parley/kit/process';
import { postgresFailure, type PostgresPool } from '@parley/kit/sql';
import type { PoolClient } from 'pg';

const TRIES = 4;

/** `work` may run up to four times and must do nothing but database work. */
export async function inTransaction<T>(pool: PostgresPool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(pool, work);
    } catch (error) {
      if (postgresFailure(error) !== 'conflict' || attempt === TRIES) throw error;
      await sleep(backoffMs(attempt, { baseMs: 5, maxMs: 100 }));
    }
  }
}

async function once<T>(pool: PostgresPool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // The pool listens only to idle connections; the query in flight gets the same error.
  const ignore = () => undefined;
  client.on('error', ignore);
  let broken = false;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A standby that was promoted, or a primary that became one: the next connection asks anew who takes writes.
    broken = postgresFailure(error) === 'read only';
    await client.query('ROLLBACK').catch(() => (broken = true));
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

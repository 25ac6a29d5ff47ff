// One transaction on one connection of the pool. What fails is rolled back; a connection that cannot even do that is thrown away.
import type { PostgresPool } from '@parley/kit/sql';
import type { PoolClient } from 'pg';

export async function inTransaction<T>(pool: PostgresPool, work: (client: PoolClient) => Promise<T>): Promise<T> {
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
    await client.query('ROLLBACK').catch(() => (broken = true));
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

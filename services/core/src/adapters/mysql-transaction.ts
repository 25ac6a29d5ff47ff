// One transaction on a pooled connection, repeated when the database chose it as the victim of a deadlock.
import { setTimeout as sleep } from 'node:timers/promises';
import { mysqlFailure, type MysqlPool } from '@parley/chat-store';
import { backoffMs } from '@parley/kit/process';
import type { PoolConnection } from 'mysql2/promise';

const TRIES = 4;

/**
 * READ COMMITTED, as every session here: what is read after a lock is what holds at the commit.
 * `work` may run up to four times and must do nothing but database work.
 */
export async function inTransaction<T>(pool: MysqlPool, work: (connection: PoolConnection) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(pool, work);
    } catch (error) {
      if (mysqlFailure(error) !== 'conflict' || attempt === TRIES) throw error;
      await sleep(backoffMs(attempt, { baseMs: 5, maxMs: 100 }));
    }
  }
}

async function once<T>(pool: MysqlPool, work: (connection: PoolConnection) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    await connection.query('START TRANSACTION');
    const result = await work(connection);
    await connection.query('COMMIT');
    connection.release();
    return result;
  } catch (error) {
    // A connection that cannot roll back is not given to the next request; its end rolls back.
    await connection.query('ROLLBACK').then(
      () => connection.release(),
      () => connection.destroy(),
    );
    throw error;
  }
}

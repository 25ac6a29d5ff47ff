// The pool for short reads and REST.
import mysql, { type Pool, type PoolConnection } from 'mysql2/promise';
import type { QueryValues, RowDataPacket } from 'mysql2';
import { driverOptions, limited, withMethods } from './driver.ts';
import { mysqlLimits, within, type MysqlLimits } from './limits.ts';
import { openSession } from './session.ts';

/** A pool whose connections have the time limits and the `sql_mode` of this package. */
export type MysqlPool = Pool;

/** `query` and `getConnection` end within the limits: a pool whose server is silent gives errors, and works again when the server does. */
export function createMysqlPool(url: string, { max = 10, limits = mysqlLimits() }: { max?: number; limits?: MysqlLimits } = {}): Pool {
  const pool = mysql.createPool({
    ...driverOptions(url, limits),
    connectionLimit: max,
    waitForConnections: true,
    queueLimit: 1000,
    maxIdle: max,
    idleTimeout: 60_000,
  });
  const connections = new TrustedConnections(pool, limits);
  const query = async (sql: string, values?: QueryValues) => {
    const connection = await connections.take();
    try {
      return await connection.query(sql, values);
    } finally {
      connection.release();
    }
  };
  return withMethods(pool, { getConnection: () => connections.take(), query });
}

/**
 * Connections whose session is set. When one did not answer, the others that were open by then are closed instead of used: after a node
 * has gone each of them would cost its next statement the whole limit.
 */
class TrustedConnections {
  readonly #pool: Pool;
  readonly #limits: MysqlLimits;
  /** when each was opened, by the count of silences before it; the driver wraps its connections anew each time */
  readonly #opened = new WeakMap<object, number>();
  #silences = 0;

  constructor(pool: Pool, limits: MysqlLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  async take(): Promise<PoolConnection> {
    for (;;) {
      const taken = await this.#acquire();
      const opened = this.#opened.get(taken.connection);
      const connection = limited(taken, this.#limits.statementMs, () => this.#silences++);
      if (opened === this.#silences) return connection;
      if (opened !== undefined) {
        taken.destroy();
        continue;
      }
      await this.#open(connection);
      this.#opened.set(taken.connection, this.#silences);
      return connection;
    }
  }

  /** A connection that comes too late goes back to the pool. */
  #acquire(): Promise<PoolConnection> {
    const late = (connection: PoolConnection) => connection.release();
    return within(this.#limits.connectionMs, { what: 'free connection', work: this.#pool.getConnection(), late });
  }

  async #open(connection: PoolConnection): Promise<void> {
    try {
      await openSession(async (sql) => (await connection.query<RowDataPacket[]>(sql))[0], this.#limits);
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }
}

/** Throws when the server does not answer. */
export async function pingMysql(pool: Pool): Promise<void> {
  await pool.query('SELECT 1');
}

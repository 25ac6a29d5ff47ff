// MySQL connections for chat data: one pool for short reads and REST, own connections for the writer's lanes.
import mysql, { type Connection, type ConnectionOptions, type Pool } from 'mysql2/promise';

export type MysqlPool = Pool;
export type MysqlConnection = Connection;

/** Dates are UTC; 8-byte integers are ids and counters below 2^53. */
function options(url: string): ConnectionOptions {
  return { uri: url, timezone: 'Z', charset: 'utf8mb4', supportBigNumbers: true, connectTimeout: 3000, enableKeepAlive: true };
}

export function createMysqlPool(url: string, { max = 10 }: { max?: number } = {}): Pool {
  return mysql.createPool({
    ...options(url),
    connectionLimit: max,
    waitForConnections: true,
    queueLimit: 1000,
    maxIdle: max,
    idleTimeout: 60_000,
  });
}

/**
 * A connection whose text may hold several statements. It is used for nothing else than the writer, whose text is built with the
 * driver's escape only. READ COMMITTED: each statement sees what is committed when it starts, and there are no gap locks.
 */
export async function connectWriter(url: string): Promise<Connection> {
  const connection = await mysql.createConnection({ ...options(url), multipleStatements: true });
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION innodb_lock_wait_timeout = 5');
  return connection;
}

export async function connectMysql(url: string, { multipleStatements = false } = {}): Promise<Connection> {
  return mysql.createConnection({ ...options(url), multipleStatements });
}

/** Throws when the server does not answer. */
export async function pingMysql(pool: Pool): Promise<void> {
  await pool.query('SELECT 1');
}

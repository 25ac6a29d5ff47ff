// MySQL connections for chat data: one pool for short reads and REST, own connections for the writer's lanes.
import callbackMysql from 'mysql2';
import mysql, { type Connection, type ConnectionOptions, type Pool } from 'mysql2/promise';

const SETUP_TIMEOUT_MS = 5000;

export type MysqlPool = Pool;
export type MysqlConnection = Connection;

/** Dates are UTC; 8-byte integers are ids and counters below 2^53. */
function options(url: string): ConnectionOptions {
  return {
    uri: url,
    timezone: 'Z',
    charset: 'utf8mb4',
    supportBigNumbers: true,
    connectTimeout: 3000,
    enableKeepAlive: true,
    // None are used. The driver makes room for 16,000 of them unless told otherwise: half a megabyte for each connection.
    maxPreparedStatements: 1,
  };
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

/** What the writer needs of a connection: complete texts of several statements, and the news of its end. */
export interface TextConnection {
  /** Answers of all statements of the text. Rejects after `timeoutMs`; the outcome is unknown then. */
  run(sql: string, timeoutMs: number): Promise<unknown>;
  onLost(handle: (error: Error) => void): void;
  end(): Promise<void>;
  destroy(): void;
}

/**
 * A connection for the writer alone, whose text is built with the driver's escape only. READ COMMITTED: each statement sees what is
 * committed when it starts, and there are no gap locks. The callback interface, because the one with promises takes a stack trace for
 * each call; no search for placeholders, because the text has none.
 */
export async function connectWriter(url: string): Promise<TextConnection> {
  const connection = callbackMysql.createConnection({ ...options(url), multipleStatements: true, queryFormat: (sql: string) => sql });
  const run = (sql: string, timeoutMs: number) =>
    new Promise<unknown>((resolve, reject) => {
      connection.query({ sql, timeout: timeoutMs }, (error, answers) => (error ? reject(error) : resolve(answers)));
    });
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
  await run('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION innodb_lock_wait_timeout = 5', SETUP_TIMEOUT_MS);
  return {
    run,
    onLost: (handle) => connection.on('error', handle),
    end: () => new Promise((resolve) => connection.end(() => resolve())),
    destroy: () => connection.destroy(),
  };
}

export async function connectMysql(url: string, { multipleStatements = false } = {}): Promise<Connection> {
  return mysql.createConnection({ ...options(url), multipleStatements });
}

/** Throws when the server does not answer. */
export async function pingMysql(pool: Pool): Promise<void> {
  await pool.query('SELECT 1');
}

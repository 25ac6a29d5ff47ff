// Time limits towards MySQL. A server that is frozen, or a lock that is held too long, costs a request some seconds and not the pool:
// whoever waits too long gets an error, and the connection that did not answer is never used again.
import type { MysqlPool } from '@parley/chat-store';
import type { PoolConnection as CallbackConnection, QueryValues } from 'mysql2';
import type { PoolConnection } from 'mysql2/promise';

export interface MysqlLimits {
  /** Longest time without an answer to a statement. */
  statementMs: number;
  /** Longest wait for a free connection of the pool. */
  connectionMs: number;
  /** Longest wait of the server for one row lock. */
  lockSeconds: number;
}

export const MYSQL_LIMITS: MysqlLimits = { statementMs: 7000, connectionMs: 3000, lockSeconds: 3 };

type Query = (sql: string, values?: QueryValues) => Promise<unknown>;

/** The pool with limits on `query` and `getConnection`; everything else stays. */
export function limitedPool(pool: MysqlPool, limits: MysqlLimits = MYSQL_LIMITS): MysqlPool {
  pool.on('connection', (connection) => {
    // It comes before every other statement of the connection. A failure shows in the next one. The event brings the driver's own
    // object, not the one with promises that the types name.
    (connection as unknown as CallbackConnection).query(`SET SESSION innodb_lock_wait_timeout = ${limits.lockSeconds}`, () => {});
  });
  const getConnection = async () => limitedConnection(await acquire(pool, limits.connectionMs), limits.statementMs);
  const query: Query = async (sql, values) => {
    const connection = await getConnection();
    try {
      return await connection.query(sql, values);
    } finally {
      connection.release();
    }
  };
  return withMethods(pool, { getConnection, query });
}

/** A connection that comes too late goes back to the pool. */
async function acquire(pool: MysqlPool, withinMs: number): Promise<PoolConnection> {
  const connection = pool.getConnection();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), withinMs);
  });
  try {
    const first = await Promise.race([connection, late]);
    if (first !== 'late') return first;
  } finally {
    clearTimeout(timer);
  }
  connection.then(
    (open) => open.release(),
    () => {},
  );
  throw Object.assign(new Error(`no free connection within ${withinMs} ms`), { code: 'ETIMEDOUT' });
}

function limitedConnection(connection: PoolConnection, timeout: number): PoolConnection {
  let unanswered = false;
  const query: Query = async (sql, values) => {
    try {
      return await connection.query({ sql, timeout, ...(values === undefined ? {} : { values }) });
    } catch (error) {
      if ((error as { code?: string }).code === 'PROTOCOL_SEQUENCE_TIMEOUT') {
        // The driver goes on waiting for the answer, and would take it for that of the next statement's place in the queue.
        unanswered = true;
        connection.destroy();
      }
      throw error;
    }
  };
  const release = () => {
    if (!unanswered) connection.release();
  };
  return withMethods(connection, { query, release });
}

function withMethods<T extends object>(target: T, methods: Record<string, unknown>): T {
  return new Proxy(target, {
    get(object, name) {
      if (typeof name === 'string' && Object.hasOwn(methods, name)) return methods[name];
      const value: unknown = Reflect.get(object, name);
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
  });
}

// The driver as every connection to the chat database has it, and the limit on its statements.
import type { ConnectionOptions, QueryOptions, QueryValues } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { mysqlFailure } from './failure.ts';
import type { MysqlLimits } from './limits.ts';

/** Dates are UTC; 8-byte integers are ids and counters below 2^53. */
export function driverOptions(url: string, { connectionMs }: MysqlLimits): ConnectionOptions {
  return {
    uri: url,
    timezone: 'Z',
    charset: 'utf8mb4',
    supportBigNumbers: true,
    connectTimeout: connectionMs,
    enableKeepAlive: true,
    // None are used. The driver makes room for 16,000 of them unless told otherwise: half a megabyte for each connection.
    maxPreparedStatements: 1,
  };
}

type Query = (sql: string | QueryOptions, values?: QueryValues) => Promise<unknown>;

/**
 * The connection with a limit on each of its statements; one that may take longer says so by a `timeout` of its own. A statement without an
 * answer ends the connection, and `onSilence` is told.
 */
export function limited<T extends Connection>(connection: T, timeout: number, onSilence: () => void = () => {}): T {
  const query: Query = async (sql, values) => {
    try {
      return await connection.query({ timeout, ...(typeof sql === 'string' ? { sql } : sql), ...(values === undefined ? {} : { values }) });
    } catch (error) {
      const silent = (error as { code?: string }).code === 'PROTOCOL_SEQUENCE_TIMEOUT';
      // The next connection may be to the node that has taken over.
      if (!silent && mysqlFailure(error) === 'read only') connection.destroy();
      if (silent) {
        // The driver goes on waiting for the answer, and would take it for that of the next statement's place in the queue.
        connection.destroy();
        onSilence();
      }
      throw error;
    }
  };
  return withMethods(connection, {
    query,
    beginTransaction: () => query('START TRANSACTION'),
    commit: () => query('COMMIT'),
    rollback: () => query('ROLLBACK'),
  });
}

export function withMethods<T extends object>(target: T, methods: Record<string, unknown>): T {
  return new Proxy(target, {
    get(object, name) {
      if (typeof name === 'string' && Object.hasOwn(methods, name)) return methods[name];
      const value: unknown = Reflect.get(object, name);
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
  });
}

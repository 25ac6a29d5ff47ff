// The relay lock of MySQL and MariaDB: GET_LOCK on a connection of its own. Names of locks are the server's, not the database's,
// so the name carries the database.
import { connectMysql, mysqlLimits, type MysqlConnection, type MysqlLimits } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { holdLock, SERVER_PATIENCE_SECONDS } from './held-lock.ts';
import type { RelayLock } from './ports.ts';

const NAME = "CONCAT('parley.relay.', LEFT(SHA2(DATABASE(), 256), 16))";
/** One wait; then a new connection is made, which notices a changed server. */
const WAIT_SECONDS = 5;

export function mysqlLock(url: string, limits: MysqlLimits = mysqlLimits()): RelayLock {
  return {
    async acquire(signal) {
      const connection = await connectMysql(url, { limits });
      // Without a listener a broken connection would end the process.
      connection.on('error', () => undefined);
      const giveUp = () => connection.destroy();
      signal.addEventListener('abort', giveUp);
      try {
        await connection.query(`SET SESSION wait_timeout = ${SERVER_PATIENCE_SECONDS}`);
        const timeout = WAIT_SECONDS * 1000 + limits.statementMs;
        const [rows] = await connection.query<RowDataPacket[]>({ sql: `SELECT GET_LOCK(${NAME}, ${WAIT_SECONDS}) AS got`, timeout });
        if (rows[0]?.['got'] === 1) return held(connection);
        await connection.end();
        return undefined;
      } catch (error) {
        connection.destroy();
        if (signal.aborted) return undefined;
        throw error;
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
  };
}

function held(connection: MysqlConnection) {
  return holdLock({
    async ping() {
      const [rows] = await connection.query<RowDataPacket[]>(`SELECT IS_USED_LOCK(${NAME}) = CONNECTION_ID() AS own`);
      if (rows[0]?.['own'] !== 1) throw new Error('the lock is not held');
    },
    onBroken: (callback) => {
      connection.on('error', (error: Error) => callback(error.message));
      connection.on('end', () => callback('connection closed'));
    },
    end: () => connection.end(),
    destroy: () => connection.destroy(),
  });
}

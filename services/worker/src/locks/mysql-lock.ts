// The relay lock of MySQL and MariaDB: GET_LOCK on a connection of its own. Names of locks are the server's, not the database's,
// so the name carries the database.
import { connectMysql, type MysqlConnection } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { holdLock, SERVER_PATIENCE_SECONDS } from './held-lock.ts';
import type { RelayLock } from './ports.ts';

const NAME = "CONCAT('parley.relay.', LEFT(SHA2(DATABASE(), 256), 16))";
/** One wait; then a new connection is made, which notices a changed server. */
const WAIT_SECONDS = 5;

export function mysqlLock(url: string): RelayLock {
  return {
    async acquire(signal) {
      const connection = await connectMysql(url);
      // Without a listener a broken connection would end the process.
      connection.on('error', () => undefined);
      const giveUp = () => connection.destroy();
      signal.addEventListener('abort', giveUp);
      try {
        await connection.query(`SET SESSION wait_timeout = ${SERVER_PATIENCE_SECONDS}`);
        if ((await one(connection, `SELECT GET_LOCK(${NAME}, ${WAIT_SECONDS}) AS value`)) === 1) return held(connection);
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
      if ((await one(connection, `SELECT IS_USED_LOCK(${NAME}) = CONNECTION_ID() AS value`)) !== 1) throw new Error('the lock is not held');
    },
    onBroken: (callback) => {
      connection.on('error', (error: Error) => callback(error.message));
      connection.on('end', () => callback('connection closed'));
    },
    end: () => connection.end(),
    destroy: () => connection.destroy(),
  });
}

async function one(connection: MysqlConnection, sql: string): Promise<unknown> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows[0]?.['value'];
}

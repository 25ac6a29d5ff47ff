// The migration runner's view of MySQL and MariaDB.
import { fileURLToPath } from 'node:url';
import { readMigrations, type Migration, type MigrationDatabase } from '@parley/kit/sql';
import type { RowDataPacket } from 'mysql2';
import type { MysqlConnection } from './connection/index.ts';

const LOCK = 'parley.migrations';
const LOCK_TIMEOUT_SECONDS = 120;
/** Beyond the lock's own time. */
const LOCK_ANSWER_MS = 10_000;
/** A file may rebuild a large table. */
const APPLY_MS = 4 * 3_600_000;

/** The migrations of the chat database, in order. */
export function chatMigrations(): Migration[] {
  return readMigrations(fileURLToPath(new URL('../migrations', import.meta.url)));
}

/** `connection` must allow several statements in one text. */
export function mysqlMigrations(connection: MysqlConnection): MigrationDatabase {
  return {
    async lock() {
      const [rows] = await connection.query<RowDataPacket[]>({
        sql: 'SELECT GET_LOCK(?, ?) AS got',
        values: [LOCK, LOCK_TIMEOUT_SECONDS],
        timeout: LOCK_TIMEOUT_SECONDS * 1000 + LOCK_ANSWER_MS,
      });
      if (rows[0]?.['got'] !== 1) throw new Error(`another migration holds the lock for more than ${LOCK_TIMEOUT_SECONDS} s`);
    },
    unlock: async () => void (await connection.query('SELECT RELEASE_LOCK(?)', [LOCK])),
    async applied() {
      await connection.query(
        'CREATE TABLE IF NOT EXISTS schema_migrations (version INT PRIMARY KEY, checksum CHAR(64) CHARACTER SET ascii NOT NULL, applied_at DATETIME(3) NOT NULL) ENGINE=InnoDB',
      );
      const [rows] = await connection.query<RowDataPacket[]>('SELECT version, checksum FROM schema_migrations');
      return new Map(rows.map((row) => [row['version'] as number, row['checksum'] as string]));
    },
    async apply({ version, checksum, sql }) {
      await connection.query({ sql, timeout: APPLY_MS });
      await connection.query('INSERT INTO schema_migrations (version, checksum, applied_at) VALUES (?, ?, UTC_TIMESTAMP(3))', [
        version,
        checksum,
      ]);
    },
  };
}

// What every connection to the chat database is told before anything else, and whether it was taken.
import { ConfigError } from '@parley/kit/process';
import type { RowDataPacket } from 'mysql2';
import type { MysqlLimits } from './limits.ts';

/**
 * Set, not assumed: under NO_BACKSLASH_ESCAPES the driver's escape does not hold, and a quote in a message would end its literal; without
 * strict tables values that are too long are cut in silence. Both servers have these modes.
 */
export const SQL_MODE = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

const modesOf = (text: string): string => text.split(',').sort().join(',');

/**
 * The first statements of a connection. READ COMMITTED: each statement sees what is committed when it starts, so what is read after a
 * lock is what holds at the commit; and there are no gap locks, which would make strangers wait for each other.
 * Throws ConfigError when the session has another `sql_mode` afterwards: no other try would help.
 */
export async function openSession(run: (sql: string) => Promise<unknown>, { lockSeconds }: MysqlLimits): Promise<void> {
  await run('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await run(`SET SESSION sql_mode = '${SQL_MODE}', SESSION innodb_lock_wait_timeout = ${lockSeconds}`);
  const rows = (await run('SELECT @@SESSION.sql_mode AS sql_mode')) as RowDataPacket[];
  const found = String(rows[0]?.['sql_mode']);
  if (modesOf(found) === modesOf(SQL_MODE)) return;
  throw new ConfigError([
    `the server at DATABASE_URL answers with sql_mode '${found}' after it was told '${SQL_MODE}', so messages with quotes are not safe there. ` +
      'A proxy or pooler in between drops what a session sets: let it keep SET SESSION for each connection, or name the server itself in DATABASE_URL',
  ]);
}

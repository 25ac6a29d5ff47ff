// The migrations of the user database.
import { fileURLToPath } from 'node:url';
import { readMigrations, type Migration } from '@parley/kit/sql';

/** The migrations of the user database, in their order. Throws when a file cannot be read. */
export function userMigrations(): Migration[] {
  return readMigrations(fileURLToPath(new URL('../migrations', import.meta.url)));
}

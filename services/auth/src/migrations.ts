// The migrations of the user database.
import { fileURLToPath } from 'node:url';
import { readMigrations, type Migration } from '@parley/kit/sql';

export function userMigrations(): Migration[] {
  return readMigrations(fileURLToPath(new URL('../migrations', import.meta.url)));
}

// Numbered SQL files, applied once each, in order, under a lock of the database, with a checksum so that a changed file is noticed.
// Files must be repeatable (IF NOT EXISTS …): MySQL commits each DDL statement by itself, so a broken run starts over in the same file.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../process/log.ts';

/** A step of a schema; its checksum shows when it was changed afterwards. */
export interface Migration {
  version: number;
  name: string;
  sql: string;
  checksum: string;
}

/** What the runner needs from a database. Everything runs on one connection, which holds the lock. */
export interface MigrationDatabase {
  lock(): Promise<void>;
  unlock(): Promise<void>;
  /** Makes the table schema_migrations if needed and returns version -> checksum. */
  applied(): Promise<Map<number, string>>;
  apply(migration: Migration): Promise<void>;
}

/** Reads `0001-name.sql` … from a folder. Throws when a number is missing or used twice. */
export function readMigrations(folder: string): Migration[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return files.map((file, index) => {
    const version = Number(file.slice(0, 4));
    if (version !== index + 1) throw new Error(`migration ${file} should have number ${index + 1}`);
    const sql = readFileSync(join(folder, file), 'utf8');
    return { version, name: file.slice(5, -4), sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** Applies what is missing. Two runs at once wait for each other; a run with nothing to do changes nothing. */
export async function migrate(database: MigrationDatabase, migrations: readonly Migration[], log: Log): Promise<number> {
  await database.lock();
  try {
    const applied = await database.applied();
    let count = 0;
    for (const migration of migrations) {
      const checksum = applied.get(migration.version);
      if (checksum === migration.checksum) continue;
      if (checksum !== undefined)
        throw new Error(`migration ${migration.version} (${migration.name}) was changed after it had been applied`);
      log.info({ version: migration.version, name: migration.name }, 'applying migration');
      await database.apply(migration);
      count++;
    }
    log.info({ applied: count, version: migrations.at(-1)?.version ?? 0 }, 'schema is up to date');
    return count;
  } finally {
    await database.unlock();
  }
}

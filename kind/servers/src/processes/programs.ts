// Finds the servers' programs: those that are installed (Debian puts some of them where an ordinary user's PATH does not look), and the
// cache of those that are fetched or built once.
import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/homebrew/bin'];
const POSTGRES_FOLDER = '/usr/lib/postgresql';

/** The one folder of everything that is fetched or built once. */
export function cacheFolder(env: Record<string, string | undefined>): string {
  return env['PARLEY_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'parley');
}

/** Path of the first of these programs that is installed. */
export function findProgram(...names: string[]): string | undefined {
  const folders = [...SYSTEM_FOLDERS, ...(process.env['PATH'] ?? '').split(delimiter)];
  for (const name of names) {
    const found = folders.find((folder) => folder !== '' && isExecutable(join(folder, name)));
    if (found !== undefined) return join(found, name);
  }
  return undefined;
}

/** Folders with PostgreSQL's server programs, newest major version first. */
export function postgresFolders(): string[] {
  let versions: string[] = [];
  try {
    versions = readdirSync(POSTGRES_FOLDER).sort((a, b) => Number(b) - Number(a));
  } catch {
    // not Debian: one version, on the path
  }
  const debian = versions.map((version) => join(POSTGRES_FOLDER, version, 'bin'));
  const onPath = findProgram('initdb');
  return [...debian, ...(onPath ? [join(onPath, '..')] : [])].filter((folder) => isExecutable(join(folder, 'initdb')));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

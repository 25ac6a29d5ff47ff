// Finds the servers' programs. Debian puts some of them where an ordinary user's PATH does not look.
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/homebrew/bin'];
const POSTGRES_FOLDER = '/usr/lib/postgresql';

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

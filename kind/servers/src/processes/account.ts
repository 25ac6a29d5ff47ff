// Which operating-system account a server runs as. MariaDB, MySQL and PostgreSQL refuse root; the others do not need it.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';

export interface Account {
  uid: number;
  gid: number;
}

/** The ids of the first of these users that exists; undefined when this process is not root: then everything runs as its own user. */
export function accountOf(...users: string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of users) {
    try {
      return { uid: idOf('-u', user), gid: idOf('-g', user) };
    } catch {
      continue;
    }
  }
  throw new Error(`none of the users ${users.join(', ')} exists`);
}

function idOf(flag: string, user: string): number {
  return Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** Makes a folder that only the account can read. */
export function privateFolder(path: string, account: Account | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  if (account) chownSync(path, account.uid, account.gid);
}

/** Writes a file that only the account can read: it may hold a password. */
export function privateFile(path: string, text: string, account: Account | undefined): void {
  // Removed first: an older file could be open to more readers until chmod.
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  if (account) chownSync(path, account.uid, account.gid);
}

/** Whether the account can walk down to the folder, tried as that account: access lists and mount options count too. */
export function canReach(path: string, account: Account): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', path], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}

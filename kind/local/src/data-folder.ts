// The layout of a data folder (.parley/), and where the servers' own data goes.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { accountOf, canReach } from '#servers/processes/account';

export interface DataFolder {
  root: string;
  secrets: string;
  pids: string;
  /** Written when everything is ready, removed on stop. */
  local: string;
  logs: string;
  servers: string;
}

/** Server data of root-only data folders; the path is derived from the folder's, so a second start finds it. */
const SHARED_BASE = '/var/lib/parley';

/** Names the paths without touching anything. */
export function dataFolder(root: string): DataFolder {
  return {
    root,
    secrets: join(root, 'secrets.json'),
    pids: join(root, 'pids.json'),
    local: join(root, 'local.json'),
    logs: join(root, 'logs'),
    servers: join(root, 'servers'),
  };
}

function elsewhere(root: string): string {
  const name = basename(dirname(root)).replaceAll(/[^\w-]/g, '_') || 'root';
  return join(SHARED_BASE, `${name}-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`);
}

/**
 * Makes the folders. Started by root, the databases run as their own users, which cannot walk into a root-only home such as /root.
 * Their data then goes below /var/lib/parley, where packages keep such data, too: a machine rented by the hour has nothing but
 * /root, and a start that only explains why it refuses would not be one command any more.
 */
export function openDataFolder(root: string, say: (line: string) => void): DataFolder {
  const folder = dataFolder(root);
  mkdirSync(folder.logs, { recursive: true });
  mkdirSync(folder.servers, { recursive: true });
  // Others may walk through to their own data, not list; the files with secrets have mode 0600 themselves.
  chmodSync(root, 0o711);
  chmodSync(folder.servers, 0o711);
  const accounts =
    process.getuid?.() === 0 ? ['mysql', 'postgres', 'redis', 'haproxy', 'nobody'].map((user) => accountOf(user, 'nobody')) : [];
  if (accounts.every((account) => account === undefined || canReach(folder.servers, account))) return folder;
  const servers = elsewhere(root);
  mkdirSync(servers, { recursive: true });
  for (const path of [SHARED_BASE, servers]) chmodSync(path, 0o755);
  say(`the database users cannot reach ${folder.servers}; server data is kept in ${servers}`);
  return { ...folder, servers };
}

/** Removes what Parley wrote, and nothing else: the folder may have been named by hand. */
export function removeDataFolder(root: string): void {
  const { secrets, pids, local, logs, servers } = dataFolder(root);
  for (const path of [secrets, pids, local, logs, servers, elsewhere(root)]) rmSync(path, { recursive: true, force: true });
  if (existsSync(root) && readdirSync(root).length === 0) rmdirSync(root);
}

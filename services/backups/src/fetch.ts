// Brings a backup from the bucket to the volume, where the scripts of a restore find it.
import { messageOf, type Log } from '@parley/kit/process';
import { sumOf } from './checksum.ts';
import { chosen, markOf, sumIn, type Listed } from './domain/backup-plan.ts';
import { StoreError, type Folder, type Store } from './ports.ts';

/** `asked`: a name, or latest. Resolves when a checked file is on the volume. */
export async function fetchBackup(asked: string, { store, folder, log }: { store: Store; folder: Folder; log: Log }): Promise<void> {
  const choice = chosen(asked, await store.list(), store.where);
  if ('problem' in choice) throw new Error(choice.problem);
  const { name } = choice;
  const sum = sumIn(await store.text(markOf(name)), name);
  if (sum === undefined) throw new Error(`${markOf(name)} in ${store.where} is not the checksum of ${name}: ${OTHER}`);
  if (await isThere(name, sum, folder)) return log.info({ backup: name }, `${name} is in ${folder.path} already: ${next(name)}`);
  const body = await store.read(name);
  if (!(await writeTo(folder, { name, body, sum, store })))
    throw new Error(`${name} in ${store.where} is not what was written: ${OTHER}. Nothing was put into ${folder.path}`);
  log.info({ backup: name }, `${name} is in ${folder.path}, and its checksum is right: ${next(name)}`);
}

const OTHER = 'fetch another one ("list" shows them)';
const next = (name: string): string => `restore it with BACKUP=${name}`;

async function isThere(name: string, sum: string, folder: Folder): Promise<boolean> {
  if ((await folder.sum(name)) !== sum) return false;
  const file = await folder.open(name);
  return file !== undefined && (await sumOf(file.body)) === sum;
}

async function writeTo(
  folder: Folder,
  { name, body, sum, store }: { name: string; sum: string; store: Store } & { body: Awaited<ReturnType<Store['read']>> },
): Promise<boolean> {
  try {
    return await folder.write(name, body, sum);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new Error(`there is no space for ${name} in ${folder.path}: raise spec.backup.storage.size`, { cause: error });
    // Only errors of the file system name a path.
    if ('path' in (error as object)) throw error;
    throw new StoreError(`${name} of ${store.where} broke off: ${messageOf(error)}`, { passing: true, cause: error });
  }
}

/** One line for each backup of the bucket, the oldest first. */
export function listLines(remote: readonly Listed[], where: string): string[] {
  if (remote.length === 0) return [`there is no backup in ${where}`];
  return remote.map(({ name, bytes, complete }) => `${name}  ${bytes} bytes${complete ? '' : '  not complete: it cannot be fetched'}`);
}

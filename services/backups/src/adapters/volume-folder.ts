// The folder of one database on the volume of the backups, with the rules of the scripts that dump into it.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hashing } from '../checksum.ts';
import { backupsIn, markOf, sumIn, sumLine } from '../domain/backup-plan.ts';
import type { Folder } from '../ports.ts';

const OWN_USER = 0o600;

/** `instance` keeps two that fetch the same backup apart. */
export function volumeFolder(path: string, instance: string): Folder {
  const at = (name: string) => join(path, name);
  return {
    path,
    list: async () => backupsIn(await sizes(path)),
    sum: async (name) => {
      const text = await unlessGone(readFile(at(markOf(name)), 'utf8'));
      return text === undefined ? undefined : sumIn(text, name);
    },
    open: async (name) => {
      const file = await unlessGone(open(at(name)));
      if (!file) return undefined;
      const { size } = await file.stat();
      return { body: file.createReadStream(), bytes: size };
    },
    write: async (name, body, sum) => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      // The scripts remove what begins so when it is old.
      const part = at(`.partial-${name}-${instance}`);
      const parts = [part, `${part}.sha256`] as const;
      try {
        const hash = createHash('sha256');
        await pipeline(body, hashing(hash), createWriteStream(part, { mode: OWN_USER }));
        if (hash.digest('hex') !== sum) return false;
        await writeFile(parts[1], sumLine(sum, name), { mode: OWN_USER });
        for (const each of parts) await sync(each);
        // The sum first: a backup with a name has one.
        await rename(parts[1], at(markOf(name)));
        await rename(part, at(name));
        await sync(path);
        return true;
      } finally {
        for (const each of parts) await rm(each, { force: true });
      }
    },
  };
}

async function sizes(path: string): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  for (const name of (await unlessGone(readdir(path))) ?? []) {
    const found = await unlessGone(stat(join(path, name)));
    if (found?.isFile()) files.set(name, found.size);
  }
  return files;
}

/** What another run removes meanwhile is no failure. */
async function unlessGone<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

// Brings the bucket to what the volume has: each complete backup that is not there is copied, then the oldest go.
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { messageOf, type Log } from '@parley/kit/process';
import { hashing } from './checksum.ts';
import { markOf, sumIn, sumLine, toCopy, toRemove, type Listed } from './domain/backup-plan.ts';
import type { Folder, Store } from './ports.ts';

export interface CopyContext {
  store: Store;
  folder: Folder;
  keep: number;
  log: Log;
  now: Date;
}

/** A Job ends after six hours; what is older than this belongs to nobody any more. */
const UPLOAD_MAX_MS = 7 * 3600_000;

/** Throws when a backup could not be copied. The others are then, and nothing is removed. */
export async function copyBackups({ store, folder, keep, log, now }: CopyContext): Promise<void> {
  const remote = await store.list();
  await endOldUploads({ store, log, now });
  const names = toCopy(await folder.list(), remote, keep);
  if (names.length === 0 && remote.length === 0)
    throw new Error(`there is no complete backup in ${folder.path} and none in ${store.where}: read the log of the container that dumps`);
  const problems: string[] = [];
  for (const name of names) {
    const problem = await copyOne(name, { remote, store, folder, log });
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const removed = toRemove(await store.list(), keep);
  await store.remove(removed);
  log.info({ backups: names.length, removedObjects: removed.length }, `${store.where} has the backups of ${folder.path}`);
}

/** Returns what a person has to look at; undefined: the bucket has it, or it has gone from the volume. */
async function copyOne(
  name: string,
  { remote, store, folder, log }: { remote: readonly Listed[] } & Omit<CopyContext, 'keep' | 'now'>,
): Promise<string | undefined> {
  const sum = await folder.sum(name);
  const file = await folder.open(name);
  if (sum === undefined || !file) {
    file?.body.destroy();
    return file ? `${name}.sha256 in ${folder.path} is not the checksum of ${name}: remove both files` : undefined;
  }
  const { body, bytes } = file;
  try {
    const there = remote.find((each) => each.name === name && each.complete);
    if (there) return await differs(name, { there, bytes, sum, store, folder });
    const hash = createHash('sha256');
    const hashed = hashing(hash);
    const reading = pipeline(body, hashed);
    // What keeps it from being read is told by the upload.
    reading.catch(() => undefined);
    await store.putFile(name, hashed, bytes);
    if (hash.digest('hex') !== sum) {
      await store.remove([name]);
      return `${name} in ${folder.path} is not what was written: the volume has damaged it. Remove the file and its .sha256; other backups are not touched`;
    }
    // The last step: without it there is no backup of that name.
    await store.putText(markOf(name), sumLine(sum, name));
    log.info({ backup: name, bytes }, `copied ${name} to ${store.where}`);
    return undefined;
  } finally {
    body.destroy();
  }
}

/** Two ChatClusters that write into one folder must not take each other's backups for their own. */
async function differs(
  name: string,
  { there, bytes, sum, store, folder }: { there: Listed; bytes: number; sum: string; store: Store; folder: Folder },
): Promise<string | undefined> {
  if (there.bytes === bytes && sumIn(await store.text(markOf(name)), name) === sum) return undefined;
  return `${store.where} has another backup ${name} than ${folder.path}: give each ChatCluster a folder of its own (spec.backup.s3.prefix)`;
}

/** It costs nothing but money when this fails: some servers do not know the call, some accounts have no right to it. */
async function endOldUploads({ store, log, now }: Pick<CopyContext, 'store' | 'log' | 'now'>): Promise<void> {
  try {
    const ended = await store.endUploads(new Date(now.getTime() - UPLOAD_MAX_MS));
    if (ended > 0) log.info({ uploads: ended }, 'ended uploads that were never finished');
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'unfinished uploads of earlier runs were not looked for');
  }
}

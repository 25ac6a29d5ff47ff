// Reads the file of the signing keys again and again: a mounted secret changes while the process runs, and a restart of all replicas at
// once is no way to rotate a key. By content, because a mount replaces links and tells times of its own.
import { readFile } from 'node:fs/promises';
import { messageOf, type Log } from '@parley/kit/process';
import type { KeyRing } from './key-ring.ts';
import { readSigningKeys } from './signing-keys.ts';

const READ_EVERY_MS = 10_000;

export interface KeyFile {
  path: string;
  readEveryMs?: number;
}

/** What cannot be read or used is reported, once for each content, and the keys stay as they are. Returns the function that ends it. */
export function watchKeyFile(
  { path, readEveryMs = READ_EVERY_MS }: KeyFile,
  { ring, first, log }: { ring: KeyRing; first: string; log: Log },
) {
  let seen = first.trim();
  const read = async () => {
    const text = await readFile(path, 'utf8').then(
      (content) => content.trim(),
      (error: unknown) => `cannot be read: ${messageOf(error)}`,
    );
    if (text === seen) return;
    seen = text;
    try {
      ring.replace(readSigningKeys(text));
      const { kid, published } = ring.current;
      log.info({ kid, published: published.map((key) => key.kid) }, 'signing keys read anew');
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'the new signing keys cannot be used; the former ones stay');
    }
  };
  const timer = setInterval(() => void read(), readEveryMs);
  return () => clearInterval(timer);
}

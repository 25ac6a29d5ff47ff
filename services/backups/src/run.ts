// Composition root: one command, from its configuration to its end.
import { X509Certificate } from 'node:crypto';
import { ConfigError, type Log } from '@parley/kit/process';
import { s3Store } from './adapters/s3-store.ts';
import { volumeFolder } from './adapters/volume-folder.ts';
import type { Command } from './command.ts';
import type { BackupsConfig } from './config.ts';
import { copyBackups } from './copy.ts';
import { fetchBackup, listLines } from './fetch.ts';
import { patiently } from './patience.ts';

interface Context {
  config: BackupsConfig;
  log: Log;
  instance: string;
  /** ends the command */
  signal: AbortSignal;
  say: (line: string) => void;
}

/** Throws a ConfigError for an authority that is none, and otherwise an error whose message is written for people. */
export async function runCommand(command: Command, { config, log, instance, signal, say }: Context): Promise<void> {
  checkAuthority(config.s3Ca);
  const store = s3Store(config, signal);
  const folder = volumeFolder(config.backupDir, instance);
  const patience = { forMs: config.retryForMs, log, signal };
  try {
    if (command.action === 'list') return listLines(await store.list(), store.where).forEach(say);
    if (command.action === 'fetch') return await patiently(() => fetchBackup(command.name, { store, folder, log }), patience);
    await patiently(() => copyBackups({ store, folder, keep: config.keep, log, now: new Date() }), patience);
  } finally {
    store.close();
  }
}

/** Node ignores what is no certificate, and the connection would fail for another reason. */
function checkAuthority(pem: string | undefined): void {
  if (pem === undefined) return;
  try {
    new X509Certificate(pem);
  } catch {
    throw new ConfigError(['S3_CA is no certificate in PEM: correct the key of the Secret that spec.backup.s3.caSecretRef names']);
  }
}

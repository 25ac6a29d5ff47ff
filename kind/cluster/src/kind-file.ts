// .parley/kind.json: what scripts and tests need to talk to the ChatCluster on kind. It is there while the ChatCluster is ready.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface KindFile {
  kubeconfig: string;
  context: string;
  namespace: string;
  chatCluster: string;
  /** Secret with the bootstrap API key under `apiKey` */
  apiKeySecret: string;
}

const pathIn = (root: string) => join(root, '.parley/kind.json');

/** Written beside and renamed: a reader sees all of it or nothing. */
export function writeKindFile(root: string, content: KindFile): void {
  const path = pathIn(root);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeKindFile(root: string): void {
  rmSync(pathIn(root), { force: true });
}

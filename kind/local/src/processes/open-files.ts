// The hard limit of open files: what a child of this process may raise its own to.
import { spawnSync } from 'node:child_process';

export function openFilesLimit(): number {
  const text = spawnSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text) || 4096;
}

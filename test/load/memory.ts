// Memory of a process as the kernel counts it.
import { readFileSync } from 'node:fs';

export interface Memory {
  rssBytes: number;
  anonymousBytes: number;
}

export function memoryOf(pid: number): Memory {
  return parseRollup(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
}

export function parseRollup(text: string): Memory {
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? NaN) * 1024;
  return { rssBytes: bytes('Rss'), anonymousBytes: bytes('Anonymous') };
}

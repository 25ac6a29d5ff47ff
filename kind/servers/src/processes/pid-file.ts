// .parley/pids.json: who runs in a data folder. It keeps two starts apart and lets a start find what a killed one left behind.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup } from './child.ts';
import { groupRuns, startOf } from './identity.ts';

export interface PidEntry {
  name: string;
  pid: number;
  /** From startOf(): a pid alone may name somebody else's process by now. */
  start: string;
}

interface Content {
  owner: PidEntry;
  children: PidEntry[];
}

const isRunning = (entry: PidEntry) => startOf(entry.pid) === entry.start;

export class PidFile {
  readonly #path: string;
  #content: Content;

  private constructor(path: string, content: Content) {
    this.#path = path;
    this.#content = content;
  }

  /** What a file says about processes that still run, or that left some behind. */
  static read(path: string): { owner: PidEntry | undefined; children: PidEntry[] } {
    try {
      const { owner, children } = JSON.parse(readFileSync(path, 'utf8')) as Content;
      return { owner: isRunning(owner) ? owner : undefined, children: children.filter(groupRuns) };
    } catch {
      return { owner: undefined, children: [] };
    }
  }

  /** Takes the data folder for this process. Call it after leftovers have been stopped. */
  static take(path: string): PidFile {
    const file = new PidFile(path, { owner: { name: 'parley', pid: process.pid, start: startOf(process.pid) ?? '' }, children: [] });
    file.#write();
    return file;
  }

  add(name: string, pid: number): void {
    const start = startOf(pid);
    if (start === undefined) return;
    this.#content.children.push({ name, pid, start });
    this.#write();
  }

  remove(pid: number): void {
    this.#content.children = this.#content.children.filter((entry) => entry.pid !== pid);
    this.#write();
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }

  /** Written beside and renamed: a kill -9 in the middle must not leave half a file. */
  #write(): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(this.#content, null, 2), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** Stops processes of a killed start, newest first: services before the databases they use. */
export async function stopLeftovers(entries: PidEntry[], withinMs = 15_000): Promise<void> {
  for (const entry of entries.toReversed()) {
    if (!groupRuns(entry)) continue;
    // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for its clients.
    signal(entry, entry.name === 'postgres' ? 'SIGINT' : 'SIGTERM');
    const deadline = performance.now() + withinMs;
    while (isRunning(entry) && performance.now() <= deadline) await sleep(20);
    if (groupRuns(entry)) await endGroup(entry.pid);
  }
}

function signal(entry: PidEntry, name: NodeJS.Signals): void {
  if (!isRunning(entry)) return;
  try {
    process.kill(entry.pid, name);
  } catch {
    // ended in between
  }
}

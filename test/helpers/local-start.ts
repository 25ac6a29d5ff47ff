// `npm start` as a user has it, in a data folder and on ports of its own: started as a process group, watched by its output.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LocalFile } from '../../kind/local/src/local-file.ts';
import { choosePorts, listPorts } from '../../kind/local/src/ports.ts';
import { startOf } from '../../kind/local/src/processes/identity.ts';
import type { PidEntry } from '../../kind/local/src/processes/pid-file.ts';
import { isTaken } from '../../kind/local/src/processes/probe.ts';

const root = resolve(import.meta.dirname, '../..');

export interface LocalStart {
  process: ChildProcess;
  output: () => string;
  /** Resolves when the output holds the text; rejects when the process ends before. */
  until: (text: string) => Promise<void>;
  /** Exit code, or the signal's name. */
  exited: Promise<number | string>;
  /** As the terminal does it: to every process of the group at once. */
  press: (signal: NodeJS.Signals) => void;
  local: () => LocalFile;
  pids: () => { owner: PidEntry; children: PidEntry[] };
}

export function startLocal(data: string, args: string[]): LocalStart {
  const child = spawn('npm', ['start', '--', '--data', data, ...args], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let wake: (() => void)[] = [];
  const changed = () => {
    wake.forEach((each) => each());
    wake = [];
  };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      changed();
    });
  let ended = false;
  const exited = new Promise<number | string>((done) => {
    child.on('exit', (code, signal) => {
      ended = true;
      done(code ?? signal ?? '');
      changed();
    });
  });
  const json = <T>(name: string) => JSON.parse(readFileSync(join(data, name), 'utf8')) as T;
  return {
    process: child,
    output: () => output,
    exited,
    async until(text) {
      while (!output.includes(text)) {
        if (ended) throw new Error(`npm start ended before it said "${text}":\n${output}`);
        await new Promise<void>((next) => wake.push(next));
      }
    },
    press: (signal) => void process.kill(-(child.pid as number), signal),
    local: () => json<LocalFile>('local.json'),
    pids: () => json('pids.json'),
  };
}

/** First port of a row in which everything of a local start is free. */
export async function freeRow(chatReplicas: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    // Below the ports that freePort gives: a row is taken up one by one while the system starts, and nobody else may come between.
    const from = 12_000 + Math.floor(Math.random() * 7500);
    const taken = await Promise.all(listPorts(choosePorts({ chatReplicas, from }), { kafka: true }).map(({ port }) => isTaken(port)));
    if (!taken.includes(true)) return from;
  }
  throw new Error('no free row of ports');
}

/** Names of those that still run. */
export const running = (entries: PidEntry[]): string[] =>
  entries.filter(({ pid, start }) => startOf(pid) === start).map(({ name }) => name);

// `npm start` as a user has it, in a data folder and on ports of its own: started as a process group, watched by its output.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { LocalFile } from '../../kind/local/src/local-file.ts';
import { choosePorts, listPorts } from '../../kind/local/src/ports.ts';
import { startOf } from '../../kind/servers/src/processes/identity.ts';
import type { PidEntry } from '../../kind/servers/src/processes/pid-file.ts';
import { isTaken } from '../../kind/servers/src/processes/probe.ts';

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

/**
 * First port of a row for a local start, kept free of other tests for as long as this process lives: a system that is stopped and started
 * again finds its ports as it left them. The last port of a row is the lock: whoever listens there has the row.
 */
export async function freeRow(chatReplicas: number): Promise<number> {
  for (let tries = 0; tries < ROWS; tries++) {
    // Below the ports that freePort gives.
    const from = FIRST_ROW + ROW_LENGTH * randomInt(ROWS);
    const ports = listPorts(choosePorts({ chatReplicas, from }), { kafka: true }).map(({ port }) => port);
    if (Math.max(...ports) >= from + ROW_LENGTH - 1) throw new Error(`${chatReplicas} chat replicas need a longer row of ports`);
    if (!(await reserve(from + ROW_LENGTH - 1))) continue;
    const taken = await Promise.all(ports.map((port) => isTaken(port)));
    if (!taken.includes(true)) return from;
  }
  throw new Error('no free row of ports');
}

const FIRST_ROW = 12_000;
const ROW_LENGTH = 50;
const ROWS = 150;

function reserve(port: number): Promise<boolean> {
  const lock = createServer().unref();
  return new Promise((resolve) => {
    lock.once('error', () => resolve(false));
    lock.listen(port, '127.0.0.1', () => resolve(true));
  });
}

/** Names of those that still run. */
export const running = (entries: PidEntry[]): string[] =>
  entries.filter(({ pid, start }) => startOf(pid) === start).map(({ name }) => name);

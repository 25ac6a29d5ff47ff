// Compiles the generator (C, because it must cost less than the server) and drives one run of it: a command in, a line of JSON out.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Buckets } from './histogram.ts';
import { endWithUs, pinned, prefer } from './pinned.ts';

const SOURCES = join(import.meta.dirname, 'generator');
/** Loopback addresses of the clients: each has ports for about 28,000 connections. */
const SOURCES_FROM = '127.0.1.1 8';

export interface Faults {
  lost: number;
  duplicated: number;
  misordered: number;
  disagreed: number;
  wrong_room: number;
  closed: number;
  errors: number;
  unexpected: number;
  /** text of the first one */
  problem: string;
}

interface Usage {
  seconds: number;
  /** CPU seconds of all cores in the window, of everybody */
  busy: number;
  /** CPU seconds by watched process */
  cpu: Record<string, number>;
}

export interface PhaseAnswer extends Faults, Usage {
  reached: number;
  handshake: Buckets;
}

export interface LoadAnswer extends Faults, Usage {
  sent: number;
  acked: number;
  refused: number;
  delivered: number;
  window_acked: number;
  window_delivered: number;
  delivery: Buckets;
  ack: Buckets;
}

/** A refused message is no fault: its sender was told. */
export function faultsIn(answer: Faults & { refused?: number }): number {
  const { lost, duplicated, misordered, disagreed, wrong_room, closed, errors, unexpected, refused = 0 } = answer;
  return lost + duplicated + misordered + disagreed + wrong_room + closed + unexpected + (errors - refused);
}

/** Returns the program's path. Throws with the compiler's words. */
export function compileGenerator(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'generator');
  const files = readdirSync(SOURCES).filter((name) => name.endsWith('.c'));
  const args = ['-D_GNU_SOURCE', '-std=c11', '-O2', '-Wall', '-o', program, ...files.map((name) => join(SOURCES, name))];
  const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8' });
  if (error) throw new Error('the benchmark needs a C compiler (Debian: apt-get install gcc libc6-dev)');
  if (status !== 0) throw new Error(`the load generator does not compile:\n${stderr}`);
  return program;
}

export interface GeneratorSetup {
  port: number;
  sendersPerRoom: number;
  roomIds: readonly string[];
  /** members of each room, in the order of the tokens */
  members: number;
  tokens: readonly string[];
  watch: Record<string, number>;
  /** core to run on; anywhere unless given */
  core?: number;
}

export function setupText(setup: GeneratorSetup): string {
  return [
    `server 127.0.0.1 ${setup.port}`,
    `seed ${Math.floor(Math.random() * 2 ** 32)}`,
    `senders ${setup.sendersPerRoom}`,
    `sources ${SOURCES_FROM}`,
    ...Object.entries(setup.watch).map(([name, pid]) => `watch ${name} ${pid}`),
    ...setup.roomIds.map((id) => `room ${id}`),
    ...setup.roomIds.flatMap((_, room) =>
      Array.from({ length: setup.members }, (_, index) => `member ${room} ${setup.tokens[room * setup.members + index] ?? 'none'}`),
    ),
    '',
  ].join('\n');
}

export class Generator {
  readonly #child;
  readonly #lines;
  readonly #ended: Promise<string>;
  #errors = '';

  constructor(program: string, folder: string, setup: GeneratorSetup) {
    const file = join(folder, 'setup.txt');
    writeFileSync(file, setupText(setup), { mode: 0o600 });
    const [command, args] = pinned(setup.core, program, [file]);
    this.#child = endWithUs(spawn(command, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] }));
    if (this.#child.pid) prefer(this.#child.pid);
    this.#child.stderr.on('data', (data: Buffer) => (this.#errors += data.toString()));
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(`${code ?? signal}`));
    });
  }

  /** Connections that get as far as `welcome`. */
  connect(parallel: number, count: number): Promise<PhaseAnswer> {
    return this.#ask(`connect ${parallel} ${count}`);
  }

  join(parallel: number): Promise<PhaseAnswer> {
    return this.#ask(`join ${parallel}`);
  }

  open(rate: number, seconds: { warm: number; window: number }): Promise<LoadAnswer> {
    return this.#ask(`open ${rate} ${seconds.warm} ${seconds.window}`);
  }

  closed(inFlight: number, seconds: { warm: number; window: number }): Promise<LoadAnswer> {
    return this.#ask(`closed ${inFlight} ${seconds.warm} ${seconds.window}`);
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #ask<Answer>(command: string): Promise<Answer> {
    this.#child.stdin.write(`${command}\n`);
    const line = await this.#lines.next();
    if (line.done) throw new Error(`the generator ended (${await this.#ended}) at "${command}": ${this.#errors}`);
    return JSON.parse(line.value) as Answer;
  }
}

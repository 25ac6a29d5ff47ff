// One bash for the blocks of one page: its own process group, a time limit for each block, nothing left when it is closed.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface SessionOptions {
  folder: string;
  env: NodeJS.ProcessEnv;
}

export interface Ran {
  ok: boolean;
  /** Why not, in words. */
  reason?: string | undefined;
  /** Line of the block's text at which it failed, from 1. */
  line?: number | undefined;
  stdout: string;
  stderr: string;
}

interface Order {
  kind: 'run' | 'endless' | 'value';
  /** A file with the commands, or the name of a variable. */
  what: string;
  limitMs: number;
}

type Outcome = { status: number; failedAt?: number | undefined; stopped: 'no' | 'limit' };

const script = join(import.meta.dirname, 'session.sh');
const SECOND = 1000;
/** Time to end between the polite signal and the other one. */
const GRACE_MS = 3 * SECOND;

export class Session {
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-docs-'));
  readonly #shell: ChildProcess;
  readonly #exited: Promise<number>;
  #hear: (line: string) => void = () => {};
  #count = 0;

  constructor({ folder, env }: SessionOptions) {
    // Detached: a process group of its own, so that what a block leaves in the background is found again.
    const shell = spawn('bash', [script], { cwd: folder, env, detached: true, stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
    this.#shell = shell;
    this.#exited = once(shell, 'exit').then(([code]) => (code as number | null) ?? -1);
    // A shell that ended must not end this process when the next order is written.
    this.#orders.on('error', () => {});
    createInterface({ input: shell.stdio[4] as Readable }).on('line', (line) => this.#hear(line));
  }

  get ended(): boolean {
    return this.#shell.exitCode !== null || this.#shell.signalCode !== null;
  }

  /** Runs commands. With `seconds` they need not end by themselves: they are stopped then. */
  async run(commands: string, { limitMs, seconds }: { limitMs: number; seconds?: number | undefined }): Promise<Ran> {
    const file = join(this.#folder, `block-${++this.#count}.sh`);
    writeFileSync(file, `${commands}\n`);
    if (seconds === undefined) return this.#order({ kind: 'run', what: file, limitMs });
    return this.#order({ kind: 'endless', what: file, limitMs: seconds * SECOND });
  }

  /** undefined: there is no such variable, and the session has ended. */
  async value(name: string): Promise<string | undefined> {
    const ran = await this.#order({ kind: 'value', what: name, limitMs: 5 * SECOND });
    return ran.ok ? ran.stdout : undefined;
  }

  /** Puts a text into a file of the session, for commands that read it. */
  file(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Ends the shell and everything that the blocks left running. */
  async close(): Promise<void> {
    this.#signal(this.#shell.pid, 'SIGTERM');
    const killed = setTimeout(() => this.#signal(this.#shell.pid, 'SIGKILL'), GRACE_MS);
    await this.#exited;
    clearTimeout(killed);
    // The shell may have ended before what it started.
    this.#signal(this.#shell.pid, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #orders(): Writable {
    return this.#shell.stdio[3] as Writable;
  }

  async #order(order: Order): Promise<Ran> {
    const [out, err] = ['out', 'err'].map((name) => join(this.#folder, `${this.#count}-${order.kind}.${name}`)) as [string, string];
    const outcome = await this.#outcome(order, `${[order.kind, order.what, out, err].join('\t')}\n`);
    const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    return { ...verdict(order, outcome), line: outcome.failedAt, stdout: text(out), stderr: text(err) };
  }

  /** Waits for the answer, for the shell's end, or for the limit. */
  async #outcome({ what, kind, limitMs }: Order, order: string): Promise<Outcome> {
    let failedAt: number | undefined;
    let group: number | undefined;
    let stopped: Outcome['stopped'] = 'no';
    const answered = new Promise<number>((done) => {
      this.#hear = (line) => {
        const [word, number = '', file = ''] = line.split(' ');
        if (word === 'done') done(Number(number));
        else if (word === 'group') group = Number(number);
        else if (word === 'failed' && file === what) failedAt ??= Number(number);
      };
    });
    const timers = [
      setTimeout(() => {
        stopped = 'limit';
        this.#signal(kind === 'endless' ? group : this.#shell.pid, 'SIGTERM');
      }, limitMs),
      setTimeout(() => this.#signal(kind === 'endless' ? group : this.#shell.pid, 'SIGKILL'), limitMs + GRACE_MS),
    ];
    this.#orders.write(order);
    const status = await Promise.race([answered, this.#exited]);
    timers.forEach(clearTimeout);
    return { status, failedAt, stopped };
  }

  #signal(group: number | undefined, signal: NodeJS.Signals): void {
    try {
      if (group !== undefined && group > 1) process.kill(-group, signal);
    } catch {
      // Nobody is left in the group.
    }
  }
}

function verdict({ kind, limitMs }: Order, { status, stopped }: Outcome): Pick<Ran, 'ok' | 'reason'> {
  if (stopped === 'limit' && kind === 'endless') return { ok: true };
  if (stopped === 'limit')
    return {
      ok: false,
      reason: `not done after ${limitMs / SECOND} s; a command that does not end by itself needs <!-- docs:seconds N -->`,
    };
  return status === 0 ? { ok: true } : { ok: false, reason: `ended with status ${status}` };
}

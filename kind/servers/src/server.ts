// What all servers have in common: options, the running server, and the way from a command to a server that speaks.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './processes/account.ts';
import { endGroup, startChild, type Child } from './processes/child.ts';
import { freePort, speaks, waitUntil, type Probe } from './processes/probe.ts';

export interface ServerOptions {
  /** Folder of this server alone. Data in it is kept between starts. Every account must be able to walk down to its parent. */
  dir: string;
  /** A free port unless given. */
  port?: number;
  /** Folder of the log file `<name>.log`; `dir` unless given. */
  logDir?: string;
  /** Stops a start that is under way; what was started is ended. */
  signal?: AbortSignal;
  /** Called as soon as there is a process, long before it is ready. */
  onSpawn?: (child: Child) => void;
}

export interface Server {
  name: string;
  port: number;
  /** With user and password where the server has them. */
  url: string;
  pid: number;
  logFile: string;
  /** Resolves with the reason when the process has ended. */
  exited: Promise<string>;
  tail: (lines?: number) => string;
  /** Clean shutdown; SIGKILL when it takes too long. */
  stop: () => Promise<void>;
  /** Any signal: SIGKILL for a crash, SIGSTOP and SIGCONT for a pause. */
  kill: (signal: NodeJS.Signals) => void;
}

/** A program that is run: once as a step of preparing a server, or as the server itself. */
export interface StepSpec {
  name: string;
  command: string;
  args: string[];
  account: Account | undefined;
  cwd: string;
  env?: Record<string, string>;
}

export interface LaunchSpec extends StepSpec {
  port: number;
  url: string;
  probes: Probe[];
  readyWithinMs: number;
  stop: { signal: 'SIGTERM' | 'SIGINT'; withinMs: number };
  /** What the kernel sends when this process was killed and cannot stop the server itself. */
  deathSignal: 'TERM' | 'INT' | 'KILL';
}

/** A server that was never ready holds nothing to save, and some lose a polite signal while they start (MariaDB does). */
const UNREADY_STOP_MS = 3000;

export const portOf = async (options: ServerOptions): Promise<number> => options.port || (await freePort());

/** Starts the server and waits until it speaks. A start that fails or is aborted leaves no process. */
export async function launch(spec: LaunchSpec, options: ServerOptions): Promise<Server> {
  options.signal?.throwIfAborted();
  const child = await startChild({
    ...spec,
    env: baseEnv(spec),
    logFile: logFileOf(spec.name, options),
    deathSignal: spec.deathSignal,
  });
  const stop = () => child.end(spec.stop.signal, spec.stop.withinMs);
  try {
    options.onSpawn?.(child);
    await ready(child, spec, options.signal);
    if (!child.alive()) throw new Error(`${spec.name} ended, and another process answers on port ${spec.port}`);
  } catch (error) {
    await child.end(spec.stop.signal, Math.min(spec.stop.withinMs, UNREADY_STOP_MS));
    throw error;
  }
  return {
    name: spec.name,
    port: spec.port,
    url: spec.url,
    pid: child.pid,
    logFile: child.logFile,
    exited: child.exited,
    tail: child.tail,
    stop,
    kill: child.kill,
  };
}

async function ready(child: Child, { name, probes, readyWithinMs }: LaunchSpec, signal: AbortSignal | undefined): Promise<void> {
  for (const probe of probes) {
    const check = async () => {
      if (!child.alive()) throw new Error(`${name} ended with ${await child.exited}:\n${child.tail()}\n(log: ${child.logFile})`);
      return speaks(probe);
    };
    await waitUntil(check, { what: name, withinMs: readyWithinMs, signal }).catch((error: unknown) => {
      if (!child.alive() || signal?.aborted) throw error;
      throw new Error(`${error instanceof Error ? error.message : String(error)}:\n${child.tail()}\n(log: ${child.logFile})`);
    });
  }
}

/** mariadb-install-db ends with twenty lines of advice; the cause stands before them. */
const STEP_TAIL_LINES = 60;

/** Runs a program that ends by itself, such as initdb. One that is aborted leaves nothing: scripts start programs that would write on. */
export async function runStep(spec: StepSpec, options: ServerOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const child = await startChild({ ...spec, env: baseEnv(spec), logFile: logFileOf(spec.name, options), deathSignal: 'KILL' });
  let ending: Promise<void> | undefined;
  const abort = () => void (ending = endGroup(child.pid));
  options.signal?.addEventListener('abort', abort);
  try {
    options.onSpawn?.(child);
    const end = await child.exited;
    await ending;
    options.signal?.throwIfAborted();
    if (end !== 'code 0') throw new Error(`${spec.name} failed (${end}):\n${child.tail(STEP_TAIL_LINES)}\n(log: ${child.logFile})`);
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

/** Nothing of the caller's environment: a server must behave the same everywhere. */
function baseEnv({ cwd, env }: { cwd: string; env?: Record<string, string> }): Record<string, string> {
  return { PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: cwd, ...env };
}

function logFileOf(name: string, options: ServerOptions): string {
  const folder = options.logDir ?? options.dir;
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.log`);
}

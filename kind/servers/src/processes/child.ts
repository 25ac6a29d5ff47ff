// One child process: its own process group, output into a log file, ended with this process.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account.ts';
import { membersOf } from './identity.ts';

/** A log that grew beyond this is put aside at the next start; one older file is kept. */
const LOG_MAX_BYTES = 20 * 1024 * 1024;

export interface ChildSpec {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  logFile: string;
  account?: Account | undefined;
  /** Sent by the kernel when this process dies without having stopped the child (Linux with setpriv). */
  deathSignal?: 'TERM' | 'INT' | 'KILL';
}

export interface Child {
  name: string;
  pid: number;
  logFile: string;
  /** Resolves with a text such as "code 1" or "signal SIGKILL" when the process has ended. */
  exited: Promise<string>;
  alive: () => boolean;
  kill: (signal: NodeJS.Signals) => void;
  /** Sends the signal, then SIGKILL to the whole group when it takes longer; resolves when the process, or the killed group, has ended. */
  end: (signal: NodeJS.Signals, withinMs: number) => Promise<void>;
  /** The last lines it wrote since this start. */
  tail: (lines?: number) => string;
}

/**
 * Starts a child in a session of its own, so that the terminal's Ctrl-C reaches only the parent, which stops children in order.
 * Throws when the program cannot be run.
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  if ((statSync(spec.logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_MAX_BYTES) renameSync(spec.logFile, `${spec.logFile}.1`);
  const log = openSync(spec.logFile, 'a', 0o600);
  const offset = statSync(spec.logFile).size;
  const [command, args] = withDeathSignal(spec);
  const child = spawn(command, args, { cwd: spec.cwd, env: spec.env, detached: true, stdio: ['ignore', log, log], ...spec.account });
  closeSync(log);
  let ended: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve((ended = signal ? `signal ${signal}` : `code ${code}`)));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`cannot run ${spec.command} for ${spec.name}: ${error.message}`)));
  });
  child.on('error', () => {}); // a signal that could not be sent; the process has ended
  const pid = child.pid as number;
  const alive = () => ended === undefined;
  return {
    name: spec.name,
    pid,
    logFile: spec.logFile,
    exited,
    alive,
    kill: (signal) => void (alive() && child.kill(signal)),
    async end(signal, withinMs) {
      if (!alive()) return;
      child.kill(signal);
      let ending: Promise<void> | undefined;
      const late = setTimeout(() => void (ending = endGroup(pid)), withinMs);
      await exited;
      clearTimeout(late);
      await ending;
    },
    tail: (lines = 20) => tailOf(spec.logFile, { offset, lines }),
  };
}

/** Between two looks whether a killed group is gone: what writes to a slow disk takes a while to die. */
const GONE_PAUSE_MS = 20;

/** Kills a child and what it started, and resolves when none of them is left: what they had written to may be removed then. */
export async function endGroup(pid: number): Promise<void> {
  killGroup(pid);
  while (membersOf(pid).length > 0) await sleep(GONE_PAUSE_MS);
}

/** Kills a child and what it started. The group has the child's pid as its id because the child leads its session. */
export function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // gone already
    }
  }
}

/**
 * setpriv asks the kernel for a signal at the parent's death and then becomes the server: pid and command line are the server's.
 * Without it (not Linux) a start after kill -9 finds the children by the pid file.
 */
function withDeathSignal({ command, args, deathSignal }: ChildSpec): [string, string[]] {
  const setpriv = '/usr/bin/setpriv';
  if (!deathSignal || !existsSync(setpriv)) return [command, args];
  return [setpriv, ['--pdeathsig', deathSignal, '--', command, ...args]];
}

function tailOf(file: string, { offset, lines }: { offset: number; lines: number }): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const from = Math.max(offset, size - 64 * 1024);
  if (size <= from) return '';
  const buffer = Buffer.alloc(size - from);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, buffer, 0, buffer.length, from);
  } finally {
    closeSync(fd);
  }
  return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/** The hard limit of open files: what a child of this process may raise its own to. */
export function openFilesLimit(): number {
  const text = spawnSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text) || 4096;
}

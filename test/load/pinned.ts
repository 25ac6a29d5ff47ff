// Processes on a core of their own and before others in its queue, ended with this process.
import { spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** What else runs on the machine shall wait for what is measured. Only root may ask for it. */
const NICE = -10;

/** The command that runs a program on one core; taskset becomes the program, so that the pid is the program's. */
export function pinned(core: number | undefined, program: string, args: readonly string[]): [string, string[]] {
  return core === undefined ? [program, [...args]] : ['taskset', ['-c', String(core), program, ...args]];
}

/** Moves a running process with all its threads. */
export function pin(pid: number, core: number): void {
  const { status, stderr } = spawnSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot pin process ${pid} to core ${core}: ${stderr || 'taskset is missing (Debian: util-linux)'}`);
}

/**
 * Puts a process before others. The kernel divides a core among sessions first and among the processes of a session then, so both
 * are told; a process that leads no session of its own would take its neighbours along.
 */
export function prefer(pid: number): void {
  if (process.getuid?.() !== 0) return;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), NICE);
    writeFileSync(`/proc/${pid}/autogroup`, String(NICE));
  } catch {
    // The process has ended, or the kernel has no such groups.
  }
}

const children = new Set<ChildProcess>();
let watching = false;

/** Kills the child when this process ends. */
export function endWithUs<Child extends ChildProcess>(child: Child): Child {
  if (!watching) process.on('exit', () => children.forEach((each) => each.kill('SIGKILL')));
  watching = true;
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

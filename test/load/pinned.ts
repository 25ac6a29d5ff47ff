// Processes on a core of their own and before others in its queue, ended with this process.
import { spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/** What else runs on the machine shall wait for what is measured. Only root may ask for it. */
const NICE = -10;
const mayPrefer = process.getuid?.() === 0;

/** The command that runs a program on one core; nice and taskset become the program, so that the pid is the program's. */
export function pinned(core: number | undefined, program: string, args: readonly string[]): [string, string[]] {
  const [command, ...rest] = [
    ...(mayPrefer ? ['nice', '-n', String(NICE)] : []),
    ...(core === undefined ? [] : ['taskset', '-c', String(core)]),
    program,
    ...args,
  ];
  return [command as string, rest];
}

/** Moves a running process with all its threads. */
export function pin(pid: number, core: number): void {
  const { status, stderr } = spawnSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot pin process ${pid} to core ${core}: ${stderr || 'taskset is missing (Debian: util-linux)'}`);
}

/** The same, and before others. */
export function pinServer(pid: number, core: number): void {
  pin(pid, core);
  if (mayPrefer) for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), NICE);
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

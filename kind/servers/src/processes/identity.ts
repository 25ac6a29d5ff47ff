// Tells whether a pid still names the process that was started: pids are used again, so a start time goes with each.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * When the process was started, as an opaque text; undefined when there is no such process (a zombie counts as gone).
 * Linux: boot id and start time in clock ticks since boot, /proc/<pid>/stat field 22 (proc(5)). Elsewhere: what ps says.
 */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return startByPs(pid);
  const fields = statOf(pid);
  return fields && `${bootId()} ${fields[19]}`;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function startByPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return text || undefined;
  } catch {
    return undefined;
  }
}

/** Processes of the group that still run, as pids; zombies are gone. Linux alone: elsewhere the group's leader stands for it. */
export function membersOf(group: number): number[] {
  if (process.platform !== 'linux') return startOf(group) === undefined ? [] : [group];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const fields = pid > 0 ? statOf(pid) : undefined;
      return fields !== undefined && Number(fields[2]) === group;
    });
}

/** /proc/<pid>/stat from its third field on, the state; undefined when the process has ended. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields;
  } catch {
    return undefined;
  }
}

/**
 * Whether the group of a process that was started as its leader still has members: the leader itself, or what it started and left behind. As
 * long as a group has members the kernel gives its number to no new process.
 */
export function groupRuns({ pid, start }: { pid: number; start: string }): boolean {
  const now = startOf(pid);
  if (now !== undefined) return now === start;
  return start.startsWith(`${bootId()} `) && membersOf(pid).length > 0;
}

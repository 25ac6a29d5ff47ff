// Tells whether a pid still names the process that was started: pids are used again, so a start time goes with each.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When the process was started, as an opaque text; undefined when there is no such process (a zombie counts as gone).
 * Linux: boot id and start time in clock ticks since boot, /proc/<pid>/stat field 22 (proc(5)). Elsewhere: what ps says.
 */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()} ${fields[19]}`;
  } catch {
    return process.platform === 'linux' ? undefined : startByPs(pid);
  }
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

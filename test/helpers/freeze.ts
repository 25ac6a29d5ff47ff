// SIGSTOP that has arrived.
import { readdirSync, readFileSync } from 'node:fs';
import { eventually } from './eventually.ts';

/** States of a thread that does nothing any more (proc(5)): stopped, traced, ended. */
const STILL = ['T', 't', 'Z', 'X'];

/**
 * Freezes processes; SIGCONT lets them go on. Resolves when each of their threads stands still: a signal is on its way for a while, and a server
 * may answer meanwhile.
 */
export async function freeze(...pids: number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await eventually('the frozen processes stand still', () => pids.every((pid) => threadsOf(pid).every((state) => STILL.includes(state))));
}

function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // The second field, in parentheses, may hold spaces itself.
    return stat.charAt(stat.lastIndexOf(')') + 2);
  });
}

// Waiting for silence: until nobody else uses the machine (on two shared cores a busy neighbour doubles latencies and adds to CPU time
// per unit), and until the server itself is done with what came before the load.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DISTURBED_CORES } from './spread.ts';

const TICKS_PER_SECOND = 100;
const LOOK_MS = 500;

/** CPU seconds of all cores since boot, by everybody. */
export function busySeconds(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** Resolves when the machine is quiet, or when patience ends. */
export async function untilQuiet(patienceSeconds: number): Promise<void> {
  const end = performance.now() + patienceSeconds * 1000;
  while (performance.now() < end) {
    const before = busySeconds(readFileSync('/proc/stat', 'utf8'));
    await sleep(LOOK_MS);
    const cores = (busySeconds(readFileSync('/proc/stat', 'utf8')) - before) / (LOOK_MS / 1000);
    if (cores < DISTURBED_CORES) return;
  }
}

const REST_LOOK_MS = 250;
/** CPU cores of a server that only keeps its connections. */
const REST_CORES = 0.04;
const REST_LOOKS = 3;
const REST_MAX_MS = 20_000;

/** CPU seconds of a process since its start. */
export function processSeconds(stat: string): number {
  // The second field, the name, may hold spaces; after its bracket utime and stime are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resolves when the processes are nearly idle for a while; connects and joins leave work behind, such as presence for the rooms. */
export async function untilAtRest(pids: readonly number[]): Promise<void> {
  const used = () => pids.reduce((sum, pid) => sum + processSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8')), 0);
  const end = performance.now() + REST_MAX_MS;
  for (let looks = 0; looks < REST_LOOKS && performance.now() < end;) {
    const before = used();
    await sleep(REST_LOOK_MS);
    looks = (used() - before) / (REST_LOOK_MS / 1000) <= REST_CORES ? looks + 1 : 0;
  }
}

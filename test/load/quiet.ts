// Waits until nobody else uses the machine: on two shared cores a busy neighbour doubles latencies and adds to CPU time per unit.
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

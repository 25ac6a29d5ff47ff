// Waiting for a state, by looking. Long enough for a machine that has much else to do: how fast something is, benchmarks tell.
import { setTimeout as sleep } from 'node:timers/promises';

/** A watch of the operator that was refused waits up to 30 s before it tries again. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 50;

/** What `look` finds, as soon as it finds something; fails with what it waited for. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs / 1000} s: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}

// Random interleavings: everything asynchronous of a run goes through fast-check's scheduler, sleeping too, so that a run is a pure
// function of its random values and takes no time of its own.
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import type { Scheduler } from 'fast-check';

const real = timers.setTimeout;

/** More steps than any run needs: what goes on for longer goes round in circles. */
const STEPS_MAX = 5000;

/** Lets everything run, one random step after the other, until nothing is left to do. */
export async function runAll(scheduler: Scheduler): Promise<void> {
  // Code under test gathers work with setImmediate, also twice in a row.
  for (let quiet = 0, steps = 0; quiet < 4; steps++) {
    if (steps > STEPS_MAX) throw new Error('it goes on for ever');
    await nextTurn();
    if (scheduler.count() === 0) quiet++;
    else {
      quiet = 0;
      await scheduler.waitOne();
    }
  }
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** From here on `setTimeout` of node:timers/promises waits for its turn in the scheduler instead of for time to pass. */
export function sleepIn(scheduler: Scheduler): void {
  replaceSleep(() => scheduler.schedule(Promise.resolve(), 'sleep'));
}

export function sleepAsUsual(): void {
  replaceSleep(real);
}

function replaceSleep(sleep: unknown): void {
  // Modules that have imported it by name see the change, too.
  Object.assign(timers, { setTimeout: sleep });
  syncBuiltinESMExports();
}

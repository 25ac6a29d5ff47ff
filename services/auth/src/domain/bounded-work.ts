// Runs so many pieces of work at a time and lets so many wait; what comes beyond is refused at once instead of piling up.
import { AppError } from '@parley/kit/process';

export interface BoundedWork {
  /** Throws AppError overloaded when too many wait. */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
}

export function boundedWork({ atOnce, waitingMax }: { atOnce: number; waitingMax: number }): BoundedWork {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    get waiting() {
      return waiting.length;
    },
    async run(work) {
      if (running < atOnce) running++;
      else if (waiting.length >= waitingMax) throw new AppError('overloaded', undefined, { retryAfterMs: 1000 });
      // The one that finishes hands its place over, so that nobody who comes later can take it.
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
  };
}

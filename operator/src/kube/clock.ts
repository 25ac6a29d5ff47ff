// Time, as the parts that wait see it: a test brings a clock that it moves by hand.
export interface Clock {
  /** milliseconds that never go back */
  now(): number;
  /** Calls once after the time; returns what takes the call back. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after the time, or when the signal ends it. */
export const pauseOn =
  (clock: Clock) =>
  (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      signal.addEventListener('abort', end, { once: true });
    });

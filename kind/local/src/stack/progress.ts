// One line per step of a start, with its time. A step that takes long says so while it goes on.

export interface Progress {
  say: (line: string) => void;
  /** Runs a step and prints its name, its time and what it says about itself. */
  step: <T>(name: string, work: () => Promise<T>, detail?: (result: T) => string) => Promise<T>;
}

/** Silence that makes people think that nothing happens. */
const STILL_MS = 10_000;

export function createProgress(print: (line: string) => void, stillMs = STILL_MS): Progress {
  const line = (name: string, started: number, detail: string) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    print(`  ${name.padEnd(16)}${seconds.padStart(6)} s   ${detail}`.trimEnd());
  };
  return {
    say: print,
    async step(name, work, detail) {
      const started = performance.now();
      const still = setInterval(() => line(name, started, 'not ready yet'), stillMs);
      try {
        const result = await work();
        line(name, started, detail?.(result) ?? '');
        return result;
      } finally {
        clearInterval(still);
      }
    },
  };
}

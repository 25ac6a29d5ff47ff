// One line per step of a start, with its time.

export interface Progress {
  say: (line: string) => void;
  /** Runs a step and prints its name, its time and what it says about itself. */
  step: <T>(name: string, work: () => Promise<T>, detail?: (result: T) => string) => Promise<T>;
}

export function createProgress(print: (line: string) => void): Progress {
  return {
    say: print,
    async step(name, work, detail) {
      const started = performance.now();
      const result = await work();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      print(`  ${name.padEnd(16)}${seconds.padStart(6)} s   ${detail?.(result) ?? ''}`.trimEnd());
      return result;
    },
  };
}

// A clock that stands still until a test moves it.

import type { Clock } from '../../../operator/src/kube/clock.ts';

export class ManualClock {
  now = 0;
  readonly #sleepers = new Set<{ atMs: number; wake: () => void }>();

  /** Every sleep that was asked for, in order. */
  readonly sleeps: number[] = [];

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { atMs: this.now + ms, wake };
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', wake, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  asClock(): Clock {
    return {
      now: () => this.now,
      after: (ms, run) => {
        const taken = new AbortController();
        void this.sleep(ms, taken.signal).then(() => taken.signal.aborted || run());
        return () => taken.abort();
      },
    };
  }

  /** Moves on step by step; what a step wakes runs to its next wait first. */
  async advance(ms: number, stepMs = ms): Promise<void> {
    for (const end = this.now + ms; this.now < end;) {
      this.now = Math.min(end, this.now + stepMs);
      for (const { atMs, wake } of [...this.#sleepers]) if (atMs <= this.now) wake();
      await settled();
    }
    await settled();
  }
}

/** Lets everything run that waits for no clock. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

// Keys that need a reconcile. The same key never runs twice at once, repeats coalesce, failures wait with back-off.
import { systemClock, type Clock } from './clock.ts';
import { retryAfterMs } from './transport.ts';

export interface WorkQueueOptions {
  /** Does the work of one key; a throw is a failure and comes again. */
  run: (key: string) => Promise<{ againAfterMs?: number } | void>;
  onError: (key: string, error: unknown) => void;
  baseMs?: number;
  maxMs?: number;
  random?: () => number;
  /** keys that run at the same time */
  workers?: number;
  clock?: Clock;
  /** told of each start: how long the key waited for a worker */
  onStart?: (waitedMs: number) => void;
}

export class WorkQueue {
  readonly #options: Required<WorkQueueOptions>;
  /** waiting for a worker, in order: key -> since when */
  readonly #ready = new Map<string, number>();
  readonly #running = new Map<string, Promise<void>>();
  /** asked for again while running */
  readonly #dirty = new Set<string>();
  /** keys that come later: when, and what takes it back */
  readonly #timers = new Map<string, { dueMs: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = { baseMs: 200, maxMs: 60_000, random: Math.random, workers: 2, clock: systemClock, onStart: () => {}, ...options };
  }

  get depth(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#closed) return;
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
    if (this.#running.has(key)) this.#dirty.add(key);
    else {
      this.#wait(key);
      this.#pump();
    }
  }

  /** Of several calls for the same key the one that is due soonest holds. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed || this.#ready.has(key)) return;
    const { clock } = this.#options;
    const dueMs = clock.now() + delayMs;
    const waiting = this.#timers.get(key);
    if (waiting && waiting.dueMs <= dueMs) return;
    waiting?.cancel();
    this.#timers.set(key, { dueMs, cancel: clock.after(delayMs, () => this.add(key)) });
  }

  /** Takes no more keys and resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#ready.clear();
    await Promise.all(this.#running.values());
  }

  #wait(key: string): void {
    if (!this.#ready.has(key)) this.#ready.set(key, this.#options.clock.now());
  }

  #pump(): void {
    for (const [key, sinceMs] of this.#ready) {
      if (this.#running.size >= this.#options.workers) return;
      this.#ready.delete(key);
      this.#options.onStart(this.#options.clock.now() - sinceMs);
      this.#running.set(key, this.#work(key));
    }
  }

  async #work(key: string): Promise<void> {
    const { run, onError, baseMs, maxMs, random } = this.#options;
    let againAfterMs: number | undefined;
    try {
      await Promise.resolve();
      againAfterMs = (await run(key))?.againAfterMs;
      this.#failures.delete(key);
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      // An API server that asks for a pause gets it, up to a limit.
      againAfterMs = Math.max(Math.min(maxMs, baseMs * 2 ** failures) * (0.5 + random() / 2), Math.min(maxMs, retryAfterMs(error)));
      onError(key, error);
    }
    this.#running.delete(key);
    if (this.#closed) return;
    if (this.#dirty.delete(key) && !this.#failures.has(key)) this.#wait(key);
    else if (againAfterMs !== undefined) this.addAfter(key, againAfterMs);
    this.#pump();
  }
}

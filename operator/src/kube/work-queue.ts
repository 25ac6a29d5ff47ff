// Keys that need a reconcile. The same key never runs twice at once, repeats coalesce, failures wait with back-off.

export interface WorkQueueOptions {
  /** Does the work of one key; a throw is a failure and comes again. */
  run: (key: string) => Promise<{ againAfterMs?: number } | void>;
  onError: (key: string, error: unknown) => void;
  baseMs?: number;
  maxMs?: number;
  random?: () => number;
  /** keys that run at the same time */
  workers?: number;
}

export class WorkQueue {
  readonly #options: Required<WorkQueueOptions>;
  /** waiting for a worker, in order */
  readonly #ready = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  /** asked for again while running */
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #failures = new Map<string, number>();
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = { baseMs: 200, maxMs: 60_000, random: Math.random, workers: 2, ...options };
  }

  get depth(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#closed) return;
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    if (this.#running.has(key)) this.#dirty.add(key);
    else {
      this.#ready.add(key);
      this.#pump();
    }
  }

  /** An earlier call for the same key that is due sooner stays. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed || this.#timers.has(key) || this.#ready.has(key)) return;
    this.#timers.set(
      key,
      setTimeout(() => this.add(key), delayMs),
    );
  }

  /** Takes no more keys and resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#ready.clear();
    await Promise.all(this.#running.values());
  }

  #pump(): void {
    for (const key of this.#ready) {
      if (this.#running.size >= this.#options.workers) return;
      this.#ready.delete(key);
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
      againAfterMs = Math.min(maxMs, baseMs * 2 ** failures) * (0.5 + random() / 2);
      onError(key, error);
    }
    this.#running.delete(key);
    if (this.#closed) return;
    if (this.#dirty.delete(key) && !this.#failures.has(key)) this.#ready.add(key);
    else if (againAfterMs !== undefined) this.addAfter(key, againAfterMs);
    this.#pump();
  }
}

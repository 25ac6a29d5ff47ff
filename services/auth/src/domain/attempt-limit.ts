// At most so many attempts in any window of time, by key: the times of the attempts are kept, so the limit is exact.
// Kept in this process: with several replicas each has its own count.

export interface AttemptDecision {
  allowed: boolean;
  limit: number;
  /** Attempts that are left now. */
  remaining: number;
  /** Until the oldest attempt leaves the window, milliseconds. */
  resetMs: number;
}

export class AttemptLimit {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #keysMax: number;
  /** Least recently tried first. */
  readonly #attempts = new Map<string, number[]>();

  constructor({ max, windowMs, keysMax }: { max: number; windowMs: number; keysMax: number }) {
    this.#max = max;
    this.#windowMs = windowMs;
    this.#keysMax = keysMax;
  }

  /** A refused attempt does not count: who waits as long as told is let in. */
  take(key: string, nowMs: number): AttemptDecision {
    const recent = (this.#attempts.get(key) ?? []).filter((at) => at > nowMs - this.#windowMs);
    const allowed = recent.length < this.#max;
    if (allowed) recent.push(nowMs);
    this.#attempts.delete(key);
    this.#attempts.set(key, recent);
    this.#forget();
    return {
      allowed,
      limit: this.#max,
      remaining: this.#max - recent.length,
      resetMs: Math.max(0, (recent[0] ?? nowMs) + this.#windowMs - nowMs),
    };
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** Memory is bounded: the key that was tried the longest ago goes first. */
  #forget(): void {
    for (const key of this.#attempts.keys()) {
      if (this.#attempts.size <= this.#keysMax) return;
      this.#attempts.delete(key);
    }
  }
}

// Rate limits of users over all replicas without a question to Redis for every frame: a replica leases a few tokens of a user's bucket
// at a time and spends them without I/O. What was refused stays refused without I/O until its time has come.
import type { BucketLimit, RateLimiter } from '@parley/kit/rate-limit';

/** A lease is this part of the burst: a burst of 20 is spent in 4 leases, and a user on two replicas loses at most one to each. */
const LEASE_SHARE = 4;
/** An unspent lease is given up after this time; the bucket has filled up again by itself. */
const LEASE_MS = 10_000;
/** Callers that wait for one lease, at most; more than the burst cannot succeed anyway. */
const WAITING_MAX = 10_000;

export interface RateBudgetsOptions {
  event: string;
  limit: BucketLimit;
  limiter: RateLimiter;
  now: () => number;
}

interface Budget {
  tokens: number;
  leasedAtMs: number;
  blockedUntilMs: number;
  asking: boolean;
  waiting: Call[];
}

interface Call {
  /** tokens: 1, or 0 for what is free but must not overtake what waits */
  cost: 0 | 1;
  run: () => void;
  refuse: (retryAfterMs: number) => void;
}

export class RateBudgets {
  readonly #options: RateBudgetsOptions;
  readonly #budgets = new Map<string, Budget>();
  readonly #lease: number;

  constructor(options: RateBudgetsOptions) {
    this.#options = options;
    this.#lease = Math.max(1, Math.floor(options.limit.burst / LEASE_SHARE));
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#budgets.size;
  }

  /** Calls `run` when the bucket of `key` has a token, in the order of the calls and at once if one is leased; otherwise `refuse`. */
  spend(key: string, run: () => void, refuse: (retryAfterMs: number) => void): void {
    const now = this.#options.now();
    const budget = this.#budgetOf(key, now);
    if (budget.waiting.length === 0 && budget.tokens > 0) {
      budget.tokens--;
      run();
      // The next lease comes while this one is spent, so that an ordinary sender never waits for Redis.
      if (budget.tokens === 0 && this.#lease > 1) void this.#ask(key, budget);
      return;
    }
    if (budget.blockedUntilMs > now) return refuse(budget.blockedUntilMs - now);
    if (budget.waiting.length >= Math.min(WAITING_MAX, this.#options.limit.burst)) return refuse(1000 / this.#options.limit.perSecond);
    budget.waiting.push({ cost: 1, run, refuse });
    void this.#ask(key, budget);
  }

  /** Calls `run` without a token, but not before what waits for one. */
  pass(key: string, run: () => void): void {
    const waiting = this.#budgets.get(key)?.waiting;
    if (waiting && waiting.length > 0) waiting.push({ cost: 0, run, refuse: run });
    else run();
  }

  /** Forgets those who have spent nothing for a while. */
  sweep(): void {
    const now = this.#options.now();
    for (const [key, budget] of this.#budgets) {
      if (!budget.asking && budget.blockedUntilMs <= now && now - budget.leasedAtMs > LEASE_MS) this.#budgets.delete(key);
    }
  }

  #budgetOf(key: string, now: number): Budget {
    let budget = this.#budgets.get(key);
    if (!budget) {
      budget = { tokens: 0, leasedAtMs: now, blockedUntilMs: 0, asking: false, waiting: [] };
      this.#budgets.set(key, budget);
    } else if (now - budget.leasedAtMs > LEASE_MS) {
      budget.tokens = 0;
    }
    return budget;
  }

  async #ask(key: string, budget: Budget): Promise<void> {
    if (budget.asking || budget.blockedUntilMs > this.#options.now()) return;
    budget.asking = true;
    const { event, limit, limiter } = this.#options;
    let decision = await limiter.take({ event, key, limit, cost: this.#lease });
    let leased = this.#lease;
    // Less than a lease is left: take what there is.
    if (!decision.allowed && this.#lease > 1) {
      leased = Math.max(1, Math.min(decision.remaining, this.#lease));
      decision = await limiter.take({ event, key, limit, cost: leased });
    }
    const now = this.#options.now();
    budget.asking = false;
    if (decision.allowed) {
      budget.tokens += leased;
      budget.leasedAtMs = now;
    } else {
      budget.blockedUntilMs = now + decision.retryAfterMs;
    }
    this.#release(key, budget, decision.retryAfterMs);
  }

  #release(key: string, budget: Budget, retryAfterMs: number): void {
    for (let next = budget.waiting[0]; next && budget.tokens >= next.cost; next = budget.waiting[0]) {
      budget.waiting.shift();
      budget.tokens -= next.cost;
      next.run();
    }
    if (budget.waiting.length === 0) return;
    if (budget.blockedUntilMs <= this.#options.now()) return void this.#ask(key, budget);
    for (const { refuse } of budget.waiting.splice(0)) refuse(retryAfterMs);
  }
}

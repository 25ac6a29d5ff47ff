// Rate limits of users over all replicas without a question to Redis for every frame: a replica leases a few tokens of a user's bucket
// at a time and spends them without I/O. What was refused stays refused without I/O until its time has come.
import type { BucketLimit, RateLimiter } from '@parley/kit/rate-limit';

/** A lease is this part of the burst: a burst of 20 is spent in 4 leases, and a user on two replicas loses at most one to each. */
const LEASE_SHARE = 4;
/** An unspent lease is given up after this time; the bucket has filled up again by itself. */
const LEASE_MS = 10_000;
/** Callers of one key that wait for a lease, at most. */
const WAITING_MAX = 10_000;

export interface RateBudgetsOptions {
  event: string;
  limit: BucketLimit;
  limiter: RateLimiter;
  now: () => number;
}

/** Go on, or come back: when the bucket will have a token again, in milliseconds. */
export type Verdict = 'go' | { retryAfterMs: number };

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
  decide: (verdict: Verdict) => void;
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

  /**
   * Takes a token of the bucket of `key`. Decided at once while leased tokens last or the bucket is known to be empty; otherwise a promise,
   * which waits for one answer of the limiter at most a few times. Promises of one key are resolved in the order of the calls.
   */
  spend(key: string): Verdict | Promise<Verdict> {
    const now = this.#options.now();
    const budget = this.#budgetOf(key, now);
    if (budget.waiting.length === 0 && budget.tokens > 0) {
      budget.tokens--;
      // The next lease comes while this one is spent, so that an ordinary sender never waits for Redis.
      if (budget.tokens === 0 && this.#lease > 1) void this.#ask(key, budget);
      return 'go';
    }
    if (budget.blockedUntilMs > now) return { retryAfterMs: budget.blockedUntilMs - now };
    // More than the burst cannot succeed anyway.
    if (budget.waiting.length >= Math.min(WAITING_MAX, this.#options.limit.burst)) return this.#afterOneToken();
    const verdict = wait(budget, 1);
    void this.#ask(key, budget);
    return verdict;
  }

  /** Takes no token, but does not overtake those who wait for one. */
  pass(key: string): Verdict | Promise<Verdict> {
    const budget = this.#budgets.get(key);
    if (!budget || budget.waiting.length === 0) return 'go';
    return budget.waiting.length >= WAITING_MAX ? this.#afterOneToken() : wait(budget, 0);
  }

  /** Forgets those who have spent nothing for a while. */
  sweep(): void {
    const now = this.#options.now();
    for (const [key, budget] of this.#budgets) {
      if (!budget.asking && budget.blockedUntilMs <= now && now - budget.leasedAtMs > LEASE_MS) this.#budgets.delete(key);
    }
  }

  #afterOneToken(): Verdict {
    return { retryAfterMs: 1000 / this.#options.limit.perSecond };
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
      next.decide('go');
    }
    if (budget.waiting.length === 0) return;
    if (budget.blockedUntilMs <= this.#options.now()) return void this.#ask(key, budget);
    for (const { cost, decide } of budget.waiting.splice(0)) decide(cost === 0 ? 'go' : { retryAfterMs });
  }
}

function wait({ waiting }: Budget, cost: 0 | 1): Promise<Verdict> {
  return new Promise((decide) => waiting.push({ cost, decide }));
}

// What rate limits count.
import { Counter, type Registry } from 'prom-client';

/** What limits refused, and what was decided without Redis; both by event. */
export interface RateLimitMetrics {
  /** Also for limits that a service decides by itself, a socket's own bucket for instance. */
  exceeded: Counter<'event'>;
  /** Decisions made without Redis. */
  local: Counter<'event'>;
}

/** Registers them. */
export function createRateLimitMetrics(registry: Registry): RateLimitMetrics {
  const registers = [registry];
  return {
    exceeded: new Counter({ name: 'rate_limit_exceeded_total', help: 'What a rate limit refused', labelNames: ['event'], registers }),
    local: new Counter({
      name: 'rate_limit_local_decisions_total',
      help: 'Rate limit decisions of this process alone, because Redis was away or slow',
      labelNames: ['event'],
      registers,
    }),
  };
}

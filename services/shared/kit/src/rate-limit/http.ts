// What callers of a limited route are told: how much is left, and how long to wait.
import type { Response } from 'express';
import { AppError } from '../process/errors.ts';
import type { BucketLimit } from './bucket.ts';
import type { Decision } from './limiter.ts';

/** Names of the headers, for those who let browsers read them. */
export const LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy', 'X-RateLimit-Limit', 'X-RateLimit-Remaining'];

/**
 * `RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers: w is the time an empty bucket takes to fill, t the time
 * until it is full again; for a refused call t is the wait, as in Retry-After. The X- names are for clients that know only those.
 */
export function setLimitHeaders(response: Response, policy: string, limit: BucketLimit, decision: Decision): void {
  const missing = Math.max(0, decision.limit - decision.remaining);
  const seconds = decision.allowed ? missing / limit.perSecond : decision.retryAfterMs / 1000;
  response.setHeader('RateLimit-Policy', `"${policy}";q=${decision.limit};w=${Math.ceil(decision.limit / limit.perSecond)}`);
  response.setHeader('RateLimit', `"${policy}";r=${decision.remaining};t=${Math.ceil(seconds)}`);
  response.setHeader('X-RateLimit-Limit', decision.limit);
  response.setHeader('X-RateLimit-Remaining', decision.remaining);
}

/** The error of a refused call; its answer is 429 with Retry-After. */
export function limitError(decision: Decision, detail: string): AppError {
  return new AppError('rate_limited', detail, { retryAfterMs: Math.max(1, decision.retryAfterMs) });
}

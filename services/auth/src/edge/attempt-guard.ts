// The limit on attempts at the edge: by client address, then by e-mail address; the answer's headers say what is left.
import { addressGroup, AppError } from '@parley/kit';
import type { Response } from 'express';
import type { AttemptDecision, AttemptLimit } from '../domain/attempt-limit.ts';

export interface AttemptLimits {
  byAddress: AttemptLimit;
  byEmail: AttemptLimit;
  windowMs: number;
  onRefused: (limit: string) => void;
}

/** Throws AppError rate_limited. An address that is over its limit does not use up the e-mail address's attempts. */
export function takeAttempt(limits: AttemptLimits, who: { clientIp: string; email: string }, response: Response): void {
  const nowMs = Date.now();
  const byAddress = limits.byAddress.take(addressGroup(who.clientIp), nowMs);
  const decision = byAddress.allowed ? tighter(byAddress, limits.byEmail.take(who.email, nowMs)) : byAddress;
  const resetSeconds = Math.ceil(decision.resetMs / 1000);
  const policy = decision === byAddress ? 'address' : 'email';
  response.setHeader('RateLimit-Policy', `"${policy}";q=${decision.limit};w=${limits.windowMs / 1000}`);
  response.setHeader('RateLimit', `"${policy}";r=${decision.remaining};t=${resetSeconds}`);
  response.setHeader('X-RateLimit-Limit', decision.limit);
  response.setHeader('X-RateLimit-Remaining', decision.remaining);
  if (decision.allowed) return;
  limits.onRefused(`auth_${policy}`);
  throw new AppError('rate_limited', 'Too many attempts; wait before the next one', { retryAfterMs: Math.max(1, decision.resetMs) });
}

function tighter(a: AttemptDecision, b: AttemptDecision): AttemptDecision {
  return !b.allowed || b.remaining < a.remaining ? b : a;
}

// The limit on attempts at the edge: by client address, then by e-mail address; the answer's headers say what is left.
import { createHash } from 'node:crypto';
import { addressGroup } from '@parley/kit/http';
import { limitError, setLimitHeaders, type BucketLimit, type Decision, type RateLimiter } from '@parley/kit/rate-limit';
import type { Response } from 'express';

export interface AttemptLimits {
  limiter: RateLimiter;
  limit: BucketLimit;
}

/** A full bucket of `perMinute` attempts, which takes a minute to fill. */
export const attemptsPerMinute = (perMinute: number): BucketLimit => ({ burst: perMinute, perSecond: perMinute / 60 });

/** Throws AppError rate_limited. An address that is over its limit does not use up the e-mail address's attempts. */
export async function takeAttempt(
  { limiter, limit }: AttemptLimits,
  who: { clientIp: string; email: string },
  response: Response,
): Promise<void> {
  const byAddress = await limiter.take({ event: 'auth_address', key: addressGroup(who.clientIp), limit });
  const byEmail = byAddress.allowed ? await limiter.take({ event: 'auth_email', key: fingerprint(who.email), limit }) : undefined;
  const decision = byEmail && isTighter(byEmail, byAddress) ? byEmail : byAddress;
  setLimitHeaders(response, decision === byEmail ? 'email' : 'address', limit, decision);
  if (!decision.allowed) throw limitError(decision, 'Too many attempts; wait before the next one');
}

function isTighter(a: Decision, b: Decision): boolean {
  return !a.allowed || a.remaining < b.remaining;
}

/** Keys show up in the tools of whoever looks after Redis; e-mail addresses need not. */
function fingerprint(email: string): string {
  return createHash('sha256').update(email).digest('base64url');
}

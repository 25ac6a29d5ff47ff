// Who may call, and how often: per user where a token is needed, per client address elsewhere and for wrong tokens.
import { addressGroup, contextOf, identityOf } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import { limitError, setLimitHeaders, type BucketLimit, type RateLimiter } from '@parley/kit/rate-limit';
import type { RequestHandler, Response } from 'express';

const EVENT = 'rest';

export interface RequestLimit {
  limiter: RateLimiter;
  limit: BucketLimit;
}

/** The token is checked first: whom a request counts for is known only then. A wrong one counts for the address. */
export function guardByUser(requireUser: RequestHandler, limit: RequestLimit): RequestHandler {
  return async (request, response, next) => {
    try {
      await requireUser(request, response, () => undefined);
    } catch (error) {
      // Not when the keys cannot be had: that is no fault of the caller.
      if (error instanceof AppError && error.status === 401) await takeRequest(limit, addressKey(response), response);
      throw error;
    }
    await takeRequest(limit, `user:${identityOf(response).userId}`, response);
    next();
  };
}

export function guardByAddress(limit: RequestLimit): RequestHandler {
  return async (_request, response, next) => {
    await takeRequest(limit, addressKey(response), response);
    next();
  };
}

const addressKey = (response: Response): string => `ip:${addressGroup(contextOf(response).clientIp)}`;

/** Throws AppError rate_limited. Headers that a service sets for a limit of its own, as auth does, replace these: they are the tighter ones. */
async function takeRequest({ limiter, limit }: RequestLimit, key: string, response: Response): Promise<void> {
  const decision = await limiter.take({ event: EVENT, key, limit });
  setLimitHeaders(response, EVENT, limit, decision);
  if (!decision.allowed) throw limitError(decision, 'Too many requests; wait before the next one');
}

// The Tickets port. All replicas must see a ticket at once, so without Redis there are none.
import { AppError } from '@parley/kit/process';
import type { RedisClient } from '@parley/kit/redis';
import { createTicket } from '@parley/live';
import type { Tickets } from '../ports.ts';

const RETRY_AFTER_MS = 1000;

export function redisTickets(redis: RedisClient): Tickets {
  return {
    async create(identity) {
      try {
        return await createTicket(redis, identity);
      } catch (cause) {
        throw new AppError('unavailable', 'No tickets at the moment; connect with the token', { retryAfterMs: RETRY_AFTER_MS, cause });
      }
    },
  };
}

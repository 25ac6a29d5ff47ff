// The limiter of one process passes the suite of limiters.
import { describe } from 'node:test';
import { LocalRateLimiter } from '@parley/kit/rate-limit';
import { limiterSuite } from './limiter-suite.ts';

describe('rate limiter: in this process', () => {
  const limiter = new LocalRateLimiter();
  limiterSuite(() => limiter);
});

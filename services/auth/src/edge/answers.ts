// Counts the outcome of what somebody may try, and keeps its answer out of every cache on the way.
import { AppError } from '@parley/kit/process';
import type { Response } from 'express';
import type { AuthMetrics } from '../metrics.ts';

export type Counted = <T>(action: string, response: Response, work: () => Promise<T>) => Promise<T>;

export function countingAttempts(metrics: AuthMetrics): Counted {
  return async (action, response, work) => {
    response.setHeader('Cache-Control', 'no-store');
    try {
      const answer = await work();
      metrics.attempts.inc({ action, result: 'success', error: '' });
      return answer;
    } catch (error) {
      metrics.attempts.inc({ action, result: 'failed', error: error instanceof AppError ? error.code : 'internal' });
      throw error;
    }
  };
}

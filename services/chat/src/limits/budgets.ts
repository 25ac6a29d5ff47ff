// The limits of spec 02 §2.5 from the configuration.
import type { RateLimiter } from '@parley/kit/rate-limit';
import type { ChatConfig } from '../config.ts';
import type { ChatContext } from '../context.ts';
import { RateBudgets } from './rate-budgets.ts';

export function createBudgets(config: ChatConfig, limiter: RateLimiter): ChatContext['limits'] {
  const budgets = (event: string, burst: number, perSecond: number) =>
    new RateBudgets({ event, limit: { burst, perSecond }, limiter, now: () => performance.now() });
  return {
    message: budgets('message', config.rateMessageBurst, config.rateMessagePerSecond),
    typing: budgets('typing', config.rateTypingBurst, config.rateTypingPerSecond),
    roomAction: budgets('room_action', config.rateRoomActionBurst, config.rateRoomActionPerSecond),
    connect: budgets('connect', config.rateConnectBurst, config.rateConnectPerSecond),
  };
}

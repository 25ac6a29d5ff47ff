// Environment of the chat service.
import { Type, type Static } from '@sinclair/typebox';
import { DEFAULT_MESSAGE_MAX_BYTES, HARD_MESSAGE_MAX_BYTES } from '@parley/protocol';
import { commonConfig, milliseconds, secretUrl, tokenConfig } from '@parley/kit';

export const chatConfig = Type.Object({
  ...commonConfig(8084),
  ...tokenConfig,
  databaseUrl: secretUrl('chat database, mysql://user:password@host:3306/name', 'mysql'),
  redisUrl: secretUrl('redis://:password@host:6379', 'redis', 'rediss'),
  maxConnections: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10_000, description: 'WebSocket connections of this instance' }),
  messageMaxBytes: Type.Integer({
    minimum: 1,
    maximum: HARD_MESSAGE_MAX_BYTES,
    default: DEFAULT_MESSAGE_MAX_BYTES,
    description: 'largest content of a message',
  }),
  drainWindowMs: milliseconds(60_000, 'time in which all sockets are asked to reconnect'),
  drainRatePercentPerSecond: Type.Number({ minimum: 0.1, maximum: 100, default: 5, description: 'share of the sockets asked per second' }),
});
export type ChatConfig = Static<typeof chatConfig>;

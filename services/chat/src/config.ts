// Environment of the chat service.
import { mysqlConfig } from '@parley/chat-store';
import { Type, type Static, type TNumber } from '@sinclair/typebox';
import { DEFAULT_MESSAGE_MAX_BYTES, HARD_MESSAGE_MAX_BYTES } from '@parley/protocol';
import { commonConfig, milliseconds } from '@parley/kit/settings';
import type { BucketLimit } from '@parley/kit/rate-limit';
import { redisUrl } from '@parley/kit/redis';
import { tokenConfig } from '@parley/kit/tokens';

type Capitalized<Name extends string> = `rate${Capitalize<Name>}`;

/** Two variables: RATE_MESSAGE_BURST and RATE_MESSAGE_PER_SECOND, for instance. */
function rateLimit<Name extends string>(name: Name, limit: BucketLimit, what: string) {
  const prefix = `rate${name[0]?.toUpperCase()}${name.slice(1)}`;
  const bound = { exclusiveMinimum: 0, maximum: 1_000_000 };
  return {
    [`${prefix}Burst`]: Type.Number({ ...bound, default: limit.burst, description: `${what} at once` }),
    [`${prefix}PerSecond`]: Type.Number({ ...bound, default: limit.perSecond, description: `${what} per second in the long run` }),
  } as Record<`${Capitalized<Name>}Burst` | `${Capitalized<Name>}PerSecond`, TNumber>;
}

/** Schema of the environment of chat. */
export const chatConfig = Type.Object({
  ...commonConfig(8084),
  ...tokenConfig,
  ...mysqlConfig,
  redisUrl: redisUrl('fan-out between replicas, limits, who is online'),
  maxConnections: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10_000, description: 'WebSocket connections of this instance' }),
  maxConnectionsPerUser: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 10,
    description: 'sockets of one user over all replicas; the oldest is closed',
  }),
  maxConnectionsPerIp: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 500,
    description: 'sockets of one address on this instance; an office shares one',
  }),
  allowMissingOrigin: Type.Boolean({ default: true, description: 'let clients in that send no Origin: they are no browsers' }),
  messageMaxBytes: Type.Integer({
    minimum: 1,
    maximum: HARD_MESSAGE_MAX_BYTES,
    default: DEFAULT_MESSAGE_MAX_BYTES,
    description: 'largest content of a message',
  }),
  messageQueueMax: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 5000,
    description: 'messages that wait for a transaction; one more is refused as overloaded',
  }),
  messageWaitMaxMs: milliseconds(250, 'a message that would wait longer for a transaction is refused as overloaded'),
  ...rateLimit('message', { burst: 20, perSecond: 5 }, 'messages of a user'),
  ...rateLimit('typing', { burst: 5, perSecond: 0.5 }, 'typing signs of a user'),
  ...rateLimit('roomAction', { burst: 60, perSecond: 10 }, 'joins, leaves and read marks of a user'),
  ...rateLimit('connect', { burst: 10, perSecond: 1 }, 'connections of an address'),
  slowReaderSeconds: Type.Integer({
    minimum: 2,
    maximum: 600,
    default: 10,
    description: 'a socket that takes nothing of what waits for it for so long is closed with 4408',
  }),
  drainWindowMs: milliseconds(60_000, 'time in which all sockets are asked to reconnect'),
  drainRatePercentPerSecond: Type.Number({ minimum: 0.1, maximum: 100, default: 5, description: 'share of the sockets asked per second' }),
});
/** The environment of chat, parsed. */
export type ChatConfig = Static<typeof chatConfig>;

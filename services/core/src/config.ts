// Environment of the core service.
import { mysqlConfig } from '@parley/chat-store';
import { commonConfig, usersDatabaseUrl } from '@parley/kit/settings';
import { redisUrl } from '@parley/kit/redis';
import { tokenConfig } from '@parley/kit/tokens';
import { DEFAULT_MESSAGE_MAX_BYTES, HARD_MESSAGE_MAX_BYTES } from '@parley/protocol';
import { Type, type Static } from '@sinclair/typebox';

const rate = { exclusiveMinimum: 0, maximum: 1_000_000 };

/** Environment of core: a variable a property, with its default, bounds and text. */
export const coreConfig = Type.Object({
  ...commonConfig(8082),
  ...tokenConfig,
  ...mysqlConfig,
  usersDatabaseUrl: usersDatabaseUrl(),
  redisUrl: redisUrl('announcements to chat, limits, tickets'),
  messageMaxBytes: Type.Integer({
    minimum: 1,
    maximum: HARD_MESSAGE_MAX_BYTES,
    default: DEFAULT_MESSAGE_MAX_BYTES,
    description: 'largest content of a message',
  }),
  // The same bucket as in chat: its variables have the same names and defaults there.
  rateMessageBurst: Type.Number({ ...rate, default: 20, description: 'messages of a user at once' }),
  rateMessagePerSecond: Type.Number({ ...rate, default: 5, description: 'messages of a user per second in the long run' }),
});
/** The environment of core after it was read and checked. */
export type CoreConfig = Static<typeof coreConfig>;

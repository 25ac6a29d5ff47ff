// Environment of the worker.
import { mysqlConfig } from '@parley/chat-store';
import { commonConfig, secret, usersDatabaseUrl } from '@parley/kit/settings';
import { redisUrl } from '@parley/kit/redis';
import { Type, type Static } from '@sinclair/typebox';
import { kafkaVariables } from './kafka/config.ts';

/** Environment of the worker: a variable a property, with its default, bounds and text. */
export const workerConfig = Type.Object({
  // Its port serves the administration of webhooks to the gateway.
  ...commonConfig(8079),
  ...mysqlConfig,
  usersDatabaseUrl: usersDatabaseUrl(),
  ...kafkaVariables,
  redisUrl: redisUrl('who is online'),
  webhookAllowPrivate: Type.Boolean({
    default: false,
    description: 'webhooks may go to private addresses; only where everybody with an admin key may reach all that the worker reaches',
  }),
  webhookFailuresMax: Type.Integer({
    minimum: 1,
    maximum: 1000,
    default: 25,
    description: 'failures in a row after which a webhook is disabled; with 25 after about three hours',
  }),
  notificationsWebhookUrl: Type.Optional(
    Type.String({
      pattern: '^https?://.+',
      optional: true,
      description: 'gets a notification for each message to members who are offline; may be private',
    }),
  ),
  notificationsWebhookSecret: Type.Optional(secret('signs the notifications', { optional: true, minLength: 16 })),
});
/** The environment of the worker after it was read and checked. */
export type WorkerConfig = Static<typeof workerConfig>;

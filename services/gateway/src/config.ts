// Environment of the gateway.
import { commonConfig, httpUrl, milliseconds } from '@parley/kit/settings';
import { redisUrl } from '@parley/kit/redis';
import { tokenConfig } from '@parley/kit/tokens';
import { Type, type Static } from '@sinclair/typebox';

/** Environment of the gateway: a variable a property, with its default, bounds and text. */
export const gatewayConfig = Type.Object({
  ...commonConfig(8080),
  ...tokenConfig,
  authUrl: httpUrl('where the auth service answers'),
  coreUrl: httpUrl('where the core service answers'),
  workerUrl: Type.Optional(
    Type.String({
      pattern: '^https?://.+',
      optional: true,
      description: 'where the worker answers for webhooks; without it there are no routes of webhooks',
    }),
  ),
  redisUrl: redisUrl('for limits that all replicas share'),
  upstreamConnectTimeoutMs: milliseconds(2000, 'time to open a connection to a service'),
  upstreamTimeoutMs: milliseconds(10_000, 'time until a service begins to answer, and between two parts of an answer'),
  upstreamRequestsMax: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 1000,
    description: 'calls in flight to one service; beyond it the answer is overloaded',
  }),
  rateRestBurst: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 60,
    description: 'calls that one user, or one address without a token, may make at once',
  }),
  rateRestPerSecond: Type.Number({ minimum: 0.001, maximum: 1_000_000, default: 1, description: 'calls that come back each second' }),
});
/** The environment of the gateway after it was read and checked. */
export type GatewayConfig = Static<typeof gatewayConfig>;

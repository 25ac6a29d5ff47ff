// Environment of the gateway.
import { commonConfig, httpUrl, milliseconds, tokenConfig } from '@parley/kit';
import { Type, type Static } from '@sinclair/typebox';

export const gatewayConfig = Type.Object({
  ...commonConfig(8080),
  ...tokenConfig,
  authUrl: httpUrl('where the auth service answers'),
  coreUrl: httpUrl('where the core service answers'),
  upstreamConnectTimeoutMs: milliseconds(2000, 'time to open a connection to a service'),
  upstreamTimeoutMs: milliseconds(10_000, 'time until a service begins to answer, and between two parts of an answer'),
  upstreamRequestsMax: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 1000,
    description: 'calls in flight to one service; beyond it the answer is overloaded',
  }),
});
export type GatewayConfig = Static<typeof gatewayConfig>;

// Environment of the canary.
import { commonConfig, httpUrl, milliseconds, port, secret } from '@parley/kit/settings';
import { Type, type Static } from '@sinclair/typebox';

const { adminHost, adminPort, instanceName, logLevel, startupTimeoutMs, drainTimeoutMs } = commonConfig(0);

/** Environment of the canary: a variable a property, with its default, bounds and text. */
export const canaryConfig = Type.Object({
  ...{ adminHost, adminPort, instanceName, logLevel, startupTimeoutMs, drainTimeoutMs },
  authUrl: httpUrl('where the auth service answers'),
  coreUrl: httpUrl('where the core service answers'),
  entryUrl: Type.String({
    pattern: '^wss?://.+',
    description: 'the WebSocket that clients use, for instance ws://demo-haproxy:8085/api/ws',
  }),
  replicasHost: Type.String({ default: '', description: 'name whose addresses are the chat replicas; empty: only the entry is used' }),
  replicasPort: port(8084, 'public port of a chat replica'),
  apiKey: secret('API key with the scope auth, for an account of its own'),
  accountPassword: secret('password of that account', { minLength: 8 }),
  messageIntervalMs: milliseconds(5000, 'time between two messages'),
  lostAfterMs: milliseconds(30_000, 'an acked message that has not reached a joined socket after this time is lost'),
});
/** The environment of the canary after it was read and checked. */
export type CanaryConfig = Static<typeof canaryConfig>;

// The metrics of the gateway, each by one known event, with a real Redis.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { eventually } from '../../helpers/eventually.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { quiet, startGatewayStack } from '../gateway/gateway-stack.ts';
import { driveEach } from './documented-metrics.ts';

const BURST = 3;
let servers: Servers<'redis'>;
let redis: RedisClient;
let stack: Awaited<ReturnType<typeof startGatewayStack>>;
let addresses = 0;
before(async () => {
  servers = await startServers(['redis']);
  redis = createRedis(servers.redis.url, 'test', quiet);
  const limits = { RATE_REST_BURST: String(BURST), RATE_REST_PER_SECOND: '0.001' };
  stack = await startGatewayStack({ REDIS_URL: servers.redis.url, TRUSTED_PROXIES: '127.0.0.1', ...limits });
  await eventually('the gateway counts in Redis', async () => {
    const address = newAddress();
    await call(address);
    return (await redis.exists(`rl:rest:ip:${address}`).catch(() => 0)) === 1;
  });
});
after(async () => {
  await stack?.stop();
  redis?.disconnect();
  await servers?.stop();
});

const newAddress = (): string => `203.0.${addresses >> 8}.${addresses++ % 256}`;
async function call(address: string): Promise<number> {
  const response = await fetch(`${stack.url}/.well-known/jwks.json`, { headers: { 'x-forwarded-for': address } });
  await response.arrayBuffer();
  return response.status;
}

await driveEach(
  'gateway',
  { metricsUrl: () => `${stack.adminUrl}/metrics` },
  {
    rate_limit_exceeded_total: (metric) =>
      metric.rises(2, { event: 'rest' }, async () => {
        const address = newAddress();
        const statuses: number[] = [];
        for (let each = 0; each < BURST + 2; each++) statuses.push(await call(address));
        assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
      }),
    rate_limit_local_decisions_total: async (metric) => {
      await metric.rises(0, { event: 'rest' }, () => call(newAddress()));
      await servers.redis.stop();
      await metric.rises(2, { event: 'rest' }, async () => {
        for (let each = 0; each < 2; each++) assert.equal(await call(newAddress()), 200);
      });
    },
  },
);

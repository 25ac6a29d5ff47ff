// The metrics of auth, each by one known event on real servers.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { createRedis, type RedisClient } from '@parley/kit/redis';
import { eventually } from '../../helpers/eventually.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';
import { anyAddress, newPerson, quiet, startAuthStack } from '../auth/auth-stack.ts';
import { driveEach } from './documented-metrics.ts';

const AT_ONCE = 1;
const ATTEMPTS = 3;
let servers: Servers<'redis'>;
let redis: RedisClient;
let stack: Awaited<ReturnType<typeof startAuthStack>>;
before(async () => {
  servers = await startServers(['redis']);
  redis = createRedis(servers.redis.url, 'test', quiet);
  stack = await startAuthStack({
    REDIS_URL: servers.redis.url,
    AUTH_ATTEMPTS_PER_MINUTE: String(ATTEMPTS),
    PASSWORD_HASHES_AT_ONCE: String(AT_ONCE),
  });
  await eventually('auth counts in Redis', async () => {
    const address = anyAddress();
    await login({ address });
    return (await redis.exists(`rl:auth_address:${address}`).catch(() => 0)) === 1;
  });
});
after(async () => {
  await stack?.stop();
  redis?.disconnect();
  await servers?.stop();
});

/** One wrong login, of somebody else each time unless told. */
const login = async ({ email = newPerson().email, address = anyAddress() } = {}): Promise<number> =>
  (await stack.post('login', { email, password: 'wrong' }, { 'x-forwarded-for': address })).status;

await driveEach(
  'auth',
  { metricsUrl: () => `${stack.adminUrl}/metrics` },
  {
    auth_attempts_total: async (metric) => {
      await metric.rises(2, { action: 'register', result: 'success', error: '' }, async () => {
        for (let person = 0; person < 2; person++) assert.equal((await stack.post('register', newPerson())).status, 201);
      });
      await metric.rises(2, { action: 'login', result: 'failed', error: 'invalid_credentials' }, async () => {
        for (let person = 0; person < 2; person++) assert.equal(await login(), 401);
      });
    },
    auth_password_hashes_waiting: async (metric) => {
      assert.equal(await metric.value(), 0);
      let done = false;
      const many = Promise.all(Array.from({ length: 40 }, () => login())).finally(() => (done = true));
      await eventually('some wait for the one thread', async () => done || ((await metric.value()) ?? 0) > 0);
      assert.equal(done, false, 'they waited before all were done');
      await many;
      assert.equal(await metric.value(), 0);
    },
    rate_limit_exceeded_total: (metric) =>
      metric.rises(2, { event: 'auth_address' }, async () => {
        const address = anyAddress();
        const statuses: number[] = [];
        for (let attempt = 0; attempt < ATTEMPTS + 2; attempt++) statuses.push(await login({ address }));
        assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
      }),
    rate_limit_local_decisions_total: async (metric) => {
      await metric.rises(0, { event: 'auth_address' }, () => login());
      await servers.redis.stop();
      // Each attempt asks for the address and for the e-mail address.
      await metric.rises(
        2,
        { event: 'auth_address' },
        async () => {
          for (let attempt = 0; attempt < 2; attempt++) await login();
        },
        4,
      );
    },
  },
);

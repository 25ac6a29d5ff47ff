// The metrics of core and those of every service, each by one known event on real servers.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { eventually } from '../../helpers/eventually.ts';
import { startCoreStack, type CoreStack } from '../core/core-stack.ts';
import { driveEach } from './documented-metrics.ts';

const BURST = 5;
let stack: CoreStack;
let users = 0;
before(async () => {
  // Nothing comes back to a bucket while a test runs.
  stack = await startCoreStack({ RATE_MESSAGE_BURST: String(BURST), RATE_MESSAGE_PER_SECOND: '0.0001' }, { own: ['postgres'] });
  await eventually('core has its Redis', async () => (await stack.call(1, 'POST', '/api/ws-ticket')).status < 300);
});
after(() => stack?.stop());

/** Two people who have said nothing yet, and their room. */
async function room(): Promise<{ path: string; sender: number; other: number }> {
  const [sender, other] = [++users, ++users];
  const { status, body } = await stack.call(sender, 'POST', '/api/rooms/direct', { other_user_id: other });
  assert.ok(status < 300, body.detail);
  return { path: `/api/rooms/${body.id}/messages`, sender, other };
}
async function say({ path, sender }: { path: string; sender: number }, content: string, id?: string): Promise<number> {
  return (await stack.call(sender, 'POST', path, { content, ...(id === undefined ? {} : { client_msg_id: id }) })).status;
}

await driveEach(
  'core',
  { metricsUrl: () => `http://127.0.0.1:${stack.core.adminPort}/metrics`, common: true },
  {
    http_requests_total: (metric) =>
      metric.rises(2, { service: 'core', method: 'GET', route: '/api/rooms', status: '200' }, async () => {
        for (let call = 0; call < 2; call++) assert.equal((await stack.call(1, 'GET', '/api/rooms')).status, 200);
      }),
    http_request_duration_seconds: (metric) =>
      metric.rises(2, { service: 'core', method: 'GET', route: '/api/rooms' }, async () => {
        for (let call = 0; call < 2; call++) await stack.call(1, 'GET', '/api/rooms');
      }),
    cache_requests_total: (metric) => metric.rises(1, { cache: 'user' }, () => stack.call(1, 'GET', '/api/v1/users/101')),
    cache_hits_total: async (metric) => {
      await metric.rises(0, { cache: 'user' }, () => stack.call(1, 'GET', '/api/v1/users/102'));
      await eventually('the name is remembered', async () => {
        const before = (await metric.value()) ?? 0;
        await stack.call(1, 'GET', '/api/v1/users/102');
        return (await metric.value()) === before + 1;
      });
      await metric.rises(2, { cache: 'user' }, async () => {
        for (let call = 0; call < 2; call++) await stack.call(1, 'GET', '/api/v1/users/102');
      });
    },
    chat_messages_sent_total: async (metric) => {
      const where = await room();
      const twice = async () => [await say(where, 'one', 'a'), await say(where, 'two', 'b')];
      await metric.rises(2, { duplicate: 'false' }, twice);
      await metric.rises(2, { duplicate: 'true' }, twice);
    },
    chat_commit_failures_total: async (metric) => {
      const where = await room();
      await stack.mysql.query('RENAME TABLE outbox TO outbox_away');
      try {
        await metric.rises(1, { failure: 'data' }, async () => assert.ok((await say(where, 'lost')) >= 400));
      } finally {
        await stack.mysql.query('RENAME TABLE outbox_away TO outbox');
      }
    },
    rate_limit_exceeded_total: async (metric) => {
      const where = await room();
      await metric.rises(2, { event: 'message' }, async () => {
        const statuses: number[] = [];
        for (let call = 0; call < BURST + 2; call++) statuses.push(await say(where, `message ${call}`));
        assert.deepEqual(
          statuses.map((status) => status === 429),
          statuses.map((_, call) => call >= BURST),
        );
      });
    },
    parley_readiness_check: async (metric) => {
      await metric.becomes(1, { check: 'postgres' });
      await stack.servers.postgres.stop();
      await metric.becomes(0, { check: 'postgres' });
      assert.equal(await metric.value({ check: 'mysql' }), 1, 'the other one is not to blame');
      await stack.servers.start('postgres');
      await metric.becomes(1, { check: 'postgres' });
    },
    rate_limit_local_decisions_total: async (metric) => {
      const where = await room();
      await metric.rises(0, { event: 'message' }, () => say(where, 'Redis is there'));
      await stack.servers.redis.stop();
      await metric.rises(2, { event: 'message' }, async () => {
        for (let call = 0; call < 2; call++) await say(where, `Redis is away ${call}`);
      });
    },
  },
);

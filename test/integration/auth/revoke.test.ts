// Logout, a new password, the end of an account: what ends, what stays, and who hears of it when Redis is there, away or empty.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRedis, createSubscriber, type RedisClient } from '@parley/kit/redis';
import { parseRevocation, REVOCATIONS_CHANNEL, REVOCATIONS_KEY, type Revocation } from '@parley/kit/tokens';
import { decodeJwt } from 'jose';
import { gatewayConfig, startGateway } from '@parley/gateway';
import type { RunningHttpService } from '@parley/kit/http';
import { loadConfig } from '@parley/kit/process';
import { disableUser } from '../../../services/auth/src/account-changes.ts';
import { deleteExpired } from '../../../services/auth/src/adapters/expired-sessions.ts';
import { postgresAccounts } from '../../../services/auth/src/adapters/postgres-accounts.ts';
import { program } from '../../helpers/program.ts';
import { startServers } from '../../helpers/servers.ts';
import { playService, type PlayedService } from '../gateway/gateway-stack.ts';
import { newPerson, quiet, startAuthStack } from './auth-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

let redisServer: Awaited<ReturnType<typeof startServers<'redis'>>>;
let stack: Awaited<ReturnType<typeof startAuthStack>>;
let redis: RedisClient;
let subscriber: RedisClient;
let core: PlayedService;
let gateway: RunningHttpService;
const heard: Revocation[] = [];
const root = fileURLToPath(new URL('../../..', import.meta.url));

before(async () => {
  redisServer = await startServers(['redis']);
  [stack, core] = await Promise.all([startAuthStack({ REDIS_URL: redisServer.redis.url }), playService()]);
  redis = createRedis(redisServer.redis.url, 'test', quiet);
  subscriber = createSubscriber(redisServer.redis.url, 'test-subscriber', quiet);
  subscriber.on('message', (_channel, text) => {
    const revocation = parseRevocation(text);
    if (revocation) heard.push(revocation);
  });
  await subscriber.subscribe(REVOCATIONS_CHANNEL);
  const env = {
    ...{ SERVER_HOST: '127.0.0.1', SERVER_PORT: '0', ADMIN_HOST: '127.0.0.1', ADMIN_PORT: '0' },
    ...{ AUTH_URL: stack.url, CORE_URL: core.url, JWKS_URL: `${stack.url}/.well-known/jwks.json` },
    ...{ REDIS_URL: redisServer.redis.url, RATE_REST_BURST: '10000' },
  };
  gateway = await startGateway({ config: loadConfig(gatewayConfig, env, () => ''), log: quiet, instance: 'gateway-test' });
});
after(async () => {
  await gateway?.close();
  subscriber?.disconnect();
  redis?.disconnect();
  await core?.stop();
  await stack?.stop();
  await redisServer?.stop();
});

const sidOf = (token: string): string => decodeJwt(token)['sid'] as string;
const bearer = (token: string) => ({ authorization: `Bearer ${token}`, 'x-api-key': undefined });
const logout = (token: string) => stack.post('logout', '', bearer(token));
const changePassword = (token: string, current_password: string, new_password: string) =>
  stack.post('password', { current_password, new_password }, bearer(token));
const login = async (person: { email: string; password: string }) =>
  (await stack.post('login', { email: person.email, password: person.password })).body;

async function register() {
  const person = newPerson();
  return { person, ...(await stack.post('register', person)).body };
}

async function throughGateway(token: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/api/rooms`, { headers: { authorization: `Bearer ${token}` } });
  await response.text();
  return response.status;
}

/** Less than the time after which all of them are read again: it was the announcement. */
const ANNOUNCED_WITHIN_MS = 4000;

const refusedWithin = (token: string, ms = ANNOUNCED_WITHIN_MS) =>
  eventually('the token is refused', async () => (await throughGateway(token)) === 401, ms);

describe('logout', () => {
  test('ends the refresh token and, as it is announced, the access token everywhere', async () => {
    const { token, refresh_token } = await register();
    assert.equal(await throughGateway(token), 200);
    const { status, headers } = await logout(token);
    assert.equal(status, 204);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal((await stack.post('refresh', { refresh_token })).status, 401);
    await refusedWithin(token);
    await eventually('the announcement', () => heard.some(({ kind, id }) => kind === 'login' && id === sidOf(token)));
  });
  test('ends access tokens of earlier refreshes of this login, and no other login', async () => {
    const first = await register();
    const other = await login(first.person);
    const second = (await stack.post('refresh', { refresh_token: first.refresh_token })).body;
    await logout(second.token);
    await refusedWithin(first.token);
    await refusedWithin(second.token);
    assert.equal(await throughGateway(other.token), 200);
    assert.equal((await stack.post('refresh', { refresh_token: other.refresh_token })).status, 200);
  });
  test('a second time, and ten times at once, answers the same and announces nothing more', async () => {
    const { token } = await register();
    const replies = await Promise.all(Array.from({ length: 10 }, () => logout(token)));
    assert.ok(replies.every(({ status }) => status === 204));
    await eventually('the announcement', () => heard.some(({ id }) => id === sidOf(token)));
    assert.equal(heard.filter(({ id }) => id === sidOf(token)).length, 1);
  });
  test('at the same time as refreshes: no pair of tokens outlives it', async () => {
    for (let round = 0; round < 5; round++) {
      const { token, refresh_token } = await register();
      const [, ...refreshed] = await Promise.all([
        logout(token),
        ...Array.from({ length: 3 }, () => stack.post('refresh', { refresh_token })),
      ]);
      for (const { body } of refreshed.filter(({ status }) => status === 200)) {
        assert.equal((await stack.post('refresh', { refresh_token: body.refresh_token })).status, 401);
        await refusedWithin(body.token);
      }
    }
  });
  test('needs a token', async () => {
    assert.equal((await stack.post('logout', '', { authorization: undefined })).body.code, 'unauthorized');
    assert.equal((await logout('not.a.token')).body.code, 'invalid_token');
  });
});

describe('password', () => {
  test('the new one counts at once; this login stays, all others end', async () => {
    const { person, ...own } = await register();
    const others = [await login(person), await login(person)];
    assert.equal((await changePassword(own.token, person.password, 'another password')).status, 204);
    assert.equal((await stack.post('login', { email: person.email, password: person.password })).status, 401);
    for (const other of others) {
      await refusedWithin(other.token);
      assert.equal((await stack.post('refresh', { refresh_token: other.refresh_token })).status, 401);
    }
    assert.equal(await throughGateway(own.token), 200);
    assert.equal((await stack.post('refresh', { refresh_token: own.refresh_token })).status, 200);
    assert.equal((await stack.post('login', { email: person.email, password: 'another password' })).status, 200);
  });
  test('a wrong current password changes nothing and uses up attempts of the login', async () => {
    const { person, token } = await register();
    const wrong = await changePassword(token, 'not the password', 'another password');
    assert.equal(wrong.status, 401);
    assert.equal(wrong.body.code, 'invalid_credentials');
    // The registration was one of ten.
    for (let attempt = 2; attempt < 10; attempt++) await changePassword(token, 'not the password', 'another password');
    assert.equal((await stack.post('login', { email: person.email, password: person.password })).status, 429);
  });
  test('a token of a login that has ended changes nothing', async () => {
    const { person, token } = await register();
    await logout(token);
    const { status, body } = await changePassword(token, person.password, 'another password');
    assert.equal(status, 401);
    assert.equal(body.code, 'invalid_token');
    assert.equal((await stack.post('login', { email: person.email, password: person.password })).status, 200);
  });
  test('too short a new one is refused with the field named', async () => {
    const { person, token } = await register();
    const { status, body } = await changePassword(token, person.password, 'short');
    assert.equal(status, 400);
    assert.equal(body.errors?.[0]?.path, '/new_password');
  });
  test('at the same time as logins with the old one: no session of it is left', async () => {
    const { person, token } = await register();
    const [changed, ...logins] = await Promise.all([
      changePassword(token, person.password, 'another password'),
      ...Array.from({ length: 3 }, () => stack.post('login', { email: person.email, password: person.password })),
    ]);
    assert.equal(changed?.status, 204);
    for (const { status, body } of logins) {
      assert.ok(status === 200 || status === 401, `${status}`);
      if (status === 200) assert.equal((await stack.post('refresh', { refresh_token: body.refresh_token })).status, 401);
    }
  });
});

test('a disabled user: no login, no refresh, no token, one event', async () => {
  const { person, token, refresh_token, user } = await register();
  const announcer = { announce: async (list: readonly Revocation[]) => void announced.push(...list), registered: async () => {} };
  const announced: Revocation[] = [];
  const parts = { accounts: postgresAccounts(stack.postgres), announcer, log: quiet, now: () => new Date() };
  assert.equal(await disableUser(parts, user.id), true);
  assert.equal(await disableUser(parts, user.id), false, 'once');
  assert.equal(await disableUser(parts, 999_999), false);
  assert.deepEqual(
    announced.map(({ kind, id, final }) => ({ kind, id, final })),
    [{ kind: 'user', id: String(user.id), final: true }],
  );
  assert.equal((await stack.post('login', { email: person.email, password: person.password })).status, 401);
  assert.equal((await stack.post('refresh', { refresh_token })).status, 401);
  const events = await stack.postgres.query<{ payload: string }>(`SELECT payload FROM outbox WHERE event_key = $1 ORDER BY id`, [
    String(user.id),
  ]);
  const last = JSON.parse(events.rows.at(-1)?.payload ?? '') as { type: string; data: unknown };
  assert.equal(events.rows.length, 2);
  assert.deepEqual([last.type, last.data], ['chat.user.disabled', { user_id: user.id }]);
  // Announced to nobody here: the repeater finds it in the database.
  await eventually('the token is forbidden', async () => (await throughGateway(token)) === 403);
});

test('the command disable-user: 0 and the token is forbidden, 1 for nobody, 78 for a wrong use', { timeout: 120_000 }, async () => {
  const { token, user } = await register();
  assert.equal(await admin('disable-user', String(user.id)), 0);
  await eventually('the token is forbidden', async () => (await throughGateway(token)) === 403);
  assert.equal(await admin('disable-user', String(user.id)), 1);
  assert.equal(await admin('disable-user', 'x'), 78);
  assert.equal(await admin(), 78);
});

async function admin(...words: string[]): Promise<number | null> {
  const env = { PATH: process.env['PATH'], DATABASE_URL: stack.env['DATABASE_URL'], REDIS_URL: redisServer.redis.url };
  const child = spawn(process.execPath, [...program('services/auth/src/admin-main.ts'), ...words], { cwd: root, env, stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

describe('Redis', () => {
  test('has forgotten everything: what is in force is there again', { timeout: 90_000 }, async () => {
    const { token } = await register();
    await logout(token);
    await redis.flushall();
    await eventually('the set is filled again', async () =>
      (await redis.zrangebyscore(REVOCATIONS_KEY, '-inf', '+inf')).some((text) => text.includes(sidOf(token))),
    );
    assert.ok((await redis.ttl(REVOCATIONS_KEY)) > 0);
  });
  test('was away at the logout: the token is refused soon after it is back', { timeout: 60_000 }, async () => {
    const [{ token }, before] = [await register(), await register()];
    await logout(before.token);
    await refusedWithin(before.token);
    redisServer.redis.kill('SIGKILL');
    await redisServer.redis.exited;
    const { status } = await logout(token);
    assert.equal(status, 204);
    assert.equal(await throughGateway(before.token), 401, 'what is known stays known');
    await redisServer.start('redis');
    await refusedWithin(token, 60_000);
  });
});

test('revocations whose time is over are deleted', async () => {
  const { token } = await register();
  await logout(token);
  await stack.postgres.query(`UPDATE revocations SET until_at = now() - interval '1 second' WHERE subject = $1`, [sidOf(token)]);
  await deleteExpired(stack.postgres, new Date());
  const { rows } = await stack.postgres.query('SELECT 1 FROM revocations WHERE subject = $1', [sidOf(token)]);
  assert.equal(rows.length, 0);
});

test('a login whose access tokens have all expired needs no revocation', async () => {
  const { token, refresh_token } = await register();
  await stack.postgres.query(`UPDATE refresh_tokens SET access_expires_at = now() - interval '2 minutes' WHERE family = $1`, [
    sidOf(token),
  ]);
  assert.equal((await logout(token)).status, 204);
  const { rows } = await stack.postgres.query('SELECT 1 FROM revocations WHERE subject = $1', [sidOf(token)]);
  assert.equal(rows.length, 0);
  assert.equal((await stack.post('refresh', { refresh_token })).status, 401);
});

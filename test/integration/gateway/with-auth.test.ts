// The gateway in front of the real auth service: the way every client comes in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gatewayConfig, startGateway } from '@parley/gateway';
import { loadConfig } from '@parley/kit/process';
import type { AuthAnswer, Problem } from '@parley/protocol';
import { gatewayErrors, operationsOf } from '../../../services/gateway/src/domain/operations.ts';
import { declaredBy } from '../../helpers/declared-answers.ts';
import { newPerson, startAuthStack } from '../auth/auth-stack.ts';
import { playService, quiet, type PlayedService } from './gateway-stack.ts';

let auth: Awaited<ReturnType<typeof startAuthStack>>;
let core: PlayedService;
let gateway: Awaited<ReturnType<typeof startGateway>>;
before(async () => {
  [auth, core] = await Promise.all([startAuthStack(), playService()]);
  const env = {
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: '0',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    AUTH_URL: auth.url,
    CORE_URL: core.url,
    JWKS_URL: `${auth.url}/.well-known/jwks.json`,
    TRUSTED_PROXIES: '127.0.0.1',
    REDIS_URL: 'redis://127.0.0.1:1',
  };
  gateway = await startGateway({ config: loadConfig(gatewayConfig, env, () => ''), log: quiet, instance: 'gateway-test' });
});
after(async () => {
  await gateway.close();
  await core.stop();
  await auth.stop();
});

const declared = declaredBy(operationsOf({ auth: true }), gatewayErrors);

async function post(name: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const path = `/api/v1/auth/${name}`;
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': auth.apiKey, ...headers },
    body: JSON.stringify(body),
  });
  const type = response.headers.get('content-type') ?? '';
  declared({ method: 'POST', path, status: response.status, type, body: await response.clone().json() });
  return response;
}

test('a registered user’s token opens the routes of core', async () => {
  const registered = await post('register', newPerson(), { 'x-forwarded-for': '192.0.2.1' });
  assert.equal(registered.status, 201);
  const { token } = (await registered.json()) as AuthAnswer;
  const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1/users/me`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(response.status, 200);
  assert.equal(core.calls.length, 1);
});

test('a problem of auth arrives with one request id', async () => {
  const response = await post('login', { email: 'nobody@example.org' }, { 'x-request-id': 'seen-by-both' });
  assert.equal(response.status, 400);
  assert.equal(((await response.json()) as Problem).request_id, 'seen-by-both');
});

test('the limit by address counts the client, not the gateway', async () => {
  const from = (address: string, index: number) =>
    post('login', { email: `limit${index}@example.org`, password: 'x' }, { 'x-forwarded-for': address });
  for (let index = 0; index < 10; index++) assert.equal((await from('192.0.2.7', index)).status, 401);
  const limited = await from('192.0.2.7', 10);
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers.get('retry-after')) > 0);
  assert.equal((await from('192.0.2.8', 11)).status, 401);
});

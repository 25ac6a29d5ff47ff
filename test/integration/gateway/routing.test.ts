// Where calls go, what goes with them, and what is refused before anything is forwarded.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Problem } from '@parley/protocol';
import { echo, openRequest, startGatewayStack, textOf } from './gateway-stack.ts';

let stack: Awaited<ReturnType<typeof startGatewayStack>>;
before(async () => {
  stack = await startGatewayStack();
});
after(() => stack.stop());
beforeEach(() => {
  for (const service of [stack.auth, stack.core]) Object.assign(service, { calls: [], answer: echo });
});

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}
const get = (path: string, headers: Record<string, string> = {}) => fetch(stack.url + path, { headers });
const problem = async (response: Response): Promise<Problem> => {
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const body = (await response.json()) as Problem;
  assert.equal(body.status, response.status);
  assert.equal(body.request_id, response.headers.get('x-request-id'));
  return body;
};
const forwarded = () => stack.auth.calls.length + stack.core.calls.length;

describe('routes', () => {
  test('auth and the key set need no token and go to auth', async () => {
    const response = await fetch(`${stack.url}/api/v1/auth/login?x=%2F1`, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'x-api-key': 'k' },
    });
    const seen = (await response.json()) as Echo;
    assert.equal(seen.method, 'POST');
    assert.equal(seen.url, '/api/v1/auth/login?x=%2F1');
    assert.equal(seen.body, '{"a":1}');
    assert.equal(seen.headers['x-api-key'], 'k');
    assert.equal((await get('/.well-known/jwks.json')).status, 200);
    assert.equal(stack.auth.calls.length, 2);
    assert.equal(stack.core.calls.length, 0);
  });
  test('users, rooms and invitations go to core with the token', async () => {
    const headers = await stack.bearer();
    for (const path of ['/api/v1/users/me', '/api/v1/users', '/api/rooms', '/api/rooms/1/messages?limit=50', '/api/invitations?limit=5']) {
      const seen = (await (await get(path, headers)).json()) as Echo;
      assert.equal(seen.url, path);
      assert.equal(seen.headers['authorization'], headers.authorization);
    }
    assert.equal(stack.core.calls.length, 5);
    assert.equal(stack.auth.calls.length, 0);
  });
  test('a method that a path has not is 405 and reaches nobody', async () => {
    const response = await get('/api/v1/auth/login', await stack.bearer());
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST, OPTIONS']);
    assert.equal((await problem(response)).code, 'method_not_allowed');
    assert.equal(forwarded(), 0);
  });
  test('the OpenAPI document has what is behind the gateway, and reaches nobody', async () => {
    const { paths } = (await (await get('/api/openapi.json')).json()) as { paths: Record<string, object> };
    assert.ok('/api/v1/auth/login' in paths && '/api/rooms' in paths);
    assert.equal('/api/v1/webhooks' in paths, false, 'this gateway has no worker');
    assert.equal(forwarded(), 0);
  });
  test('an unknown path is 404 and reaches nobody', async () => {
    for (const path of ['/', '/api/roomsX', '/api/v1/authX', '/api/v2/users', '/.well-known/openid-configuration', '/metrics', '/readyz']) {
      const response = await get(path, await stack.bearer());
      assert.equal(response.status, 404, path);
      assert.equal((await problem(response)).code, 'not_found');
    }
    assert.equal(forwarded(), 0);
  });
  test('health is answered by the gateway itself', async () => {
    assert.deepEqual(await (await get('/api/health')).json(), {
      status: 'ok',
      service: 'gateway',
      instance: 'gateway-test',
      version: '0.1.0',
    });
    assert.equal((await fetch(`${stack.adminUrl}/readyz`)).status, 200);
  });
});

describe('token', () => {
  test('none, a wrong, an expired and a foreign one: 401 before anything is forwarded', async () => {
    const good = await stack.issuer.token(1);
    const cases: [string | undefined, string][] = [
      [undefined, 'unauthorized'],
      ['Basic abc', 'unauthorized'],
      ['Bearer nonsense', 'invalid_token'],
      [`Bearer ${good.slice(0, -10)}AAAAAAAAAA`, 'invalid_token'],
      [`Bearer ${await stack.issuer.token(1, { audience: 'else' })}`, 'invalid_token'],
      [`Bearer ${await stack.issuer.token(1, { expiresInSeconds: -60 })}`, 'token_expired'],
    ];
    for (const [authorization, code] of cases) {
      const response = await fetch(`${stack.url}/api/rooms`, {
        method: 'POST',
        body: '{}',
        headers: authorization ? { authorization } : {},
      });
      assert.equal(response.status, 401, code);
      assert.equal((await problem(response)).code, code);
    }
    assert.equal(forwarded(), 0);
  });
});

describe('headers', () => {
  test('the request id of the caller is kept, a wrong one replaced; the service gets the same', async () => {
    const kept = await get('/api/v1/auth/x', { 'x-request-id': 'abc-1' });
    assert.equal(kept.headers.get('x-request-id'), 'abc-1');
    assert.equal(((await kept.json()) as Echo).headers['x-request-id'], 'abc-1');
    const replaced = await get('/api/v1/auth/x', { 'x-request-id': 'a b' });
    assert.match(replaced.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
  });
  test('the caller’s trace goes on at the service, under a part of the gateway; without one a trace begins', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const given = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'congo=t61rcWkgMzE' };
    const { headers } = (await (await get('/api/v1/auth/x', given)).json()) as Echo;
    assert.match(String(headers['traceparent']), new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
    assert.equal(headers['tracestate'], given.tracestate);
    const fresh = (await (await get('/api/v1/auth/x', { traceparent: 'nonsense' })).json()) as Echo;
    assert.match(String(fresh.headers['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
  test('an untrusted peer’s X-Forwarded-For is replaced by its address', async () => {
    const seen = (await (await get('/api/v1/auth/x', { 'x-forwarded-for': '10.1.2.3', 'x-real-ip': '10.1.2.3' })).json()) as Echo;
    assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen.headers['x-real-ip'], undefined);
  });
  test('a trusted proxy’s X-Forwarded-For names the client', async () => {
    const trusting = await startGatewayStack({ TRUSTED_PROXIES: '127.0.0.0/8' });
    try {
      const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7, 127.0.0.2' };
      const seen = (await (await fetch(`${trusting.url}/api/v1/auth/x`, { headers })).json()) as Echo;
      assert.equal(seen.headers['x-forwarded-for'], '203.0.113.7');
    } finally {
      await trusting.stop();
    }
  });
  test('an allowed origin gets the gateway’s CORS headers, not those of the service', async () => {
    stack.auth.answer = (_request, response) => response.setHeader('access-control-allow-origin', '*').end('{}');
    const allowed = await get('/api/v1/auth/x', { origin: 'https://chat.example.org' });
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://chat.example.org');
    assert.equal((await get('/api/v1/auth/x', { origin: 'https://evil.example' })).headers.get('access-control-allow-origin'), null);
  });
  test('status, headers and an answer of problem+json pass as they are', async () => {
    stack.auth.answer = (_request, response) =>
      response
        .writeHead(409, { 'content-type': 'application/problem+json', 'retry-after': '7', 'set-cookie': ['a=1', 'b=2'] })
        .end('{"code":"email_taken"}');
    const response = await get('/api/v1/auth/x');
    assert.equal(response.status, 409);
    assert.equal(response.headers.get('retry-after'), '7');
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(await response.text(), '{"code":"email_taken"}');
  });
});

describe('bodies', () => {
  test('pass in both directions before they are complete', { timeout: 90_000 }, async () => {
    stack.core.answer = (request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      request.on('data', (chunk: Buffer) => response.write(chunk.toString().toUpperCase()));
      request.on('end', () => response.end('.'));
    };
    const { outgoing, answered } = openRequest(`${stack.url}/api/rooms`, { method: 'POST', headers: await stack.bearer() });
    outgoing.write('one');
    const incoming = await answered;
    const next = async () => ((await once(incoming, 'data')) as [Buffer])[0].toString();
    assert.equal(await next(), 'ONE');
    outgoing.write('two');
    assert.equal(await next(), 'TWO');
    outgoing.end();
    assert.equal(await next(), '.');
  });
  test('an announced length above 64 kB is refused at once', async () => {
    const response = await fetch(`${stack.url}/api/v1/auth/login`, { method: 'POST', body: 'x'.repeat(64 * 1024 + 1) });
    assert.equal(response.status, 413);
    assert.equal((await problem(response)).code, 'body_too_large');
    assert.equal(forwarded(), 0);
    const fits = await fetch(`${stack.url}/api/v1/auth/login`, { method: 'POST', body: 'x'.repeat(64 * 1024) });
    assert.equal(((await fits.json()) as Echo).body.length, 64 * 1024);
  });
  test('a body of unknown length is cut off at 64 kB: the service never sees it complete', { timeout: 90_000 }, async () => {
    let ended = false;
    let cut: () => void = () => undefined;
    const wasCut = new Promise<void>((resolve) => (cut = resolve));
    stack.auth.answer = (request) => {
      request.on('end', () => (ended = true));
      request.on('error', cut);
      request.resume();
    };
    const { outgoing, answered } = openRequest(`${stack.url}/api/v1/auth/login`, { method: 'POST' });
    for (let piece = 0; piece < 20; piece++) outgoing.write(Buffer.alloc(4096, 'x'));
    outgoing.end();
    const incoming = await answered;
    assert.equal(incoming.statusCode, 413);
    assert.match(await textOf(incoming), /"code":"body_too_large"/);
    await wasCut;
    assert.equal(ended, false);
  });
  test('an absolute target is not a way to other hosts', async () => {
    const { outgoing, answered } = openRequest(stack.url, { path: 'http://127.0.0.1:1/api/v1/auth/x' });
    outgoing.end();
    assert.equal((await answered).statusCode, 400);
    assert.equal(forwarded(), 0);
  });
  test('HEAD and 204 have no body', async () => {
    const head = await fetch(`${stack.url}/api/v1/auth/x`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    stack.auth.answer = (_request, response) => response.writeHead(204).end();
    const empty = await fetch(`${stack.url}/api/v1/auth/x`, { method: 'DELETE' });
    assert.equal(empty.status, 204);
    assert.equal(await empty.text(), '');
  });
});

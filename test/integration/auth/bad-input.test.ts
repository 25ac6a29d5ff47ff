// What auth refuses, and what it says then.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { authConfig, startAuth } from '@parley/auth';
import { loadConfig } from '@parley/kit/process';
import { anyAddress, newApiKey, newPerson, quiet, sha256, startAuthStack } from './auth-stack.ts';

let stack: Awaited<ReturnType<typeof startAuthStack>>;
before(async () => {
  stack = await startAuthStack();
});
after(() => stack.stop());

const count = async (table: string) => (await stack.postgres.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n;

describe('API key', () => {
  test('is required before the body is looked at', async () => {
    const prefix = stack.apiKey.slice(0, 12);
    const wrong = { missing: undefined, malformed: 'secret', unknown: newApiKey(), 'right prefix only': `${prefix}${'A'.repeat(43)}` };
    for (const [name, key] of Object.entries(wrong)) {
      for (const path of ['register', 'login']) {
        const { status, body } = await stack.post(path, '{ not json', { 'x-api-key': key });
        assert.equal(status, 401, `${name} at ${path}`);
        assert.equal(body.code, 'invalid_api_key');
        assert.ok(!JSON.stringify(body).includes(stack.apiKey));
      }
    }
  });
  test('is kept as its hash, and its use is noted', async () => {
    await stack.post('login', { email: 'x@example.org', password: 'x' });
    const { rows } = await stack.postgres.query<{ hash: Buffer; last_used_at: Date | null }>('SELECT hash, last_used_at FROM api_keys');
    assert.deepEqual(rows[0]?.hash, sha256(stack.apiKey));
    assert.ok(rows[0]?.last_used_at);
  });
  test('a revoked key and one without the scope are refused', async () => {
    const [revoked, narrow] = [newApiKey(), newApiKey()];
    const insert = 'INSERT INTO api_keys (prefix, hash, name, scopes, revoked_at) VALUES ($1, $2, $3, $4, $5)';
    await stack.postgres.query(insert, [revoked.slice(0, 11), sha256(revoked), 'revoked', ['auth'], new Date()]);
    await stack.postgres.query(insert, [narrow.slice(0, 11), sha256(narrow), 'narrow', [], null]);
    assert.equal((await stack.post('login', {}, { 'x-api-key': revoked })).body.code, 'invalid_api_key');
    assert.equal((await stack.post('login', {}, { 'x-api-key': narrow })).body.code, 'forbidden');
  });
});

describe('body', () => {
  const person = newPerson();
  const cases: [string, unknown, number, string][] = [
    ['invalid JSON', '{"name":', 400, 'invalid_request'],
    ['JSON that is no object', '[]', 400, 'invalid_request'],
    ['an unknown field', { ...person, admin: true }, 400, 'invalid_request'],
    ['a missing field', { name: person.name, email: person.email }, 400, 'invalid_request'],
    ['a short password', { ...person, password: '1234567' }, 400, 'invalid_request'],
    ['no e-mail address', { ...person, email: 'person' }, 400, 'invalid_request'],
    ['a name of spaces', { ...person, name: '   ' }, 400, 'invalid_request'],
    ['NUL in the name', { ...person, name: 'a\u0000b' }, 400, 'invalid_request'],
    ['NUL in the address', { ...person, email: 'a\u0000b@example.org' }, 400, 'invalid_request'],
    ['more than 64 kB', { ...person, name: 'x'.repeat(70_000) }, 413, 'body_too_large'],
  ];
  for (const [name, body, status, code] of cases) {
    test(`${name}: ${status}, and nothing is written`, async () => {
      const reply = await stack.post('register', body);
      assert.equal(reply.status, status);
      assert.equal(reply.body.code, code);
      assert.equal(reply.headers.get('content-type'), 'application/problem+json; charset=utf-8');
      assert.equal(reply.body.request_id, reply.headers.get('x-request-id'));
      assert.equal(await count('users'), 0);
    });
  }
  test('another content type: 415', async () => {
    assert.equal((await stack.post('register', 'a=b', { 'content-type': 'text/plain' })).status, 415);
  });
  test('a wrong field is named without its value', async () => {
    const { body } = await stack.post('register', { ...person, password: 'geheim' });
    assert.equal(body.errors?.[0]?.path, '/password');
    assert.ok(!JSON.stringify(body).includes('geheim'));
  });
});

describe('limit of attempts', () => {
  test('the eleventh within a minute from one address is refused before any password work', async () => {
    const from = { 'x-forwarded-for': anyAddress() };
    for (let attempt = 0; attempt < 10; attempt++) {
      const reply = await stack.post('login', { email: `limit${attempt}@example.org`, password: 'x' }, from);
      assert.equal(reply.status, 401);
      assert.equal(reply.headers.get('x-ratelimit-remaining'), String(9 - attempt));
    }
    const reply = await stack.post('login', { email: 'limit@example.org', password: 'x' }, from);
    assert.equal(reply.status, 429);
    assert.equal(reply.body.code, 'rate_limited');
    const retryAfter = Number(reply.headers.get('retry-after'));
    assert.ok(retryAfter > 0 && retryAfter <= 60, `Retry-After: ${retryAfter}`);
    assert.equal(reply.headers.get('x-ratelimit-limit'), '10');
  });
  test('the eleventh for one e-mail address is refused from wherever it comes', async () => {
    const person = newPerson();
    const spellings = [person.email, person.email.toUpperCase()];
    for (let attempt = 0; attempt < 10; attempt++) {
      assert.equal((await stack.post('login', { email: spellings[attempt % 2], password: 'x' })).status, 401);
    }
    assert.equal((await stack.post('login', { email: person.email, password: 'x' })).status, 429);
    const text = await (await fetch(`${stack.adminUrl}/metrics`)).text();
    assert.match(text, /rate_limit_exceeded_total\{event="auth_email",[^}]*\} 1/);
    assert.match(text, /auth_attempts_total\{action="login",result="failed",error="rate_limited",[^}]*\} 2/);
  });
  test('AUTH_ATTEMPTS_PER_MINUTE sets another limit', async () => {
    const config = loadConfig(authConfig, { ...stack.env, AUTH_ATTEMPTS_PER_MINUTE: '12' }, () => '');
    const other = await startAuth({ config, log: quiet, instance: 'auth-other-limit' });
    try {
      const headers = { 'content-type': 'application/json', 'x-api-key': stack.apiKey, 'x-forwarded-for': anyAddress() };
      const attempt = async (index: number) => {
        const body = JSON.stringify({ email: `other${index}@example.org`, password: 'x' });
        return (await fetch(`http://127.0.0.1:${other.port}/api/v1/auth/login`, { method: 'POST', headers, body })).status;
      };
      for (let index = 0; index < 12; index++) assert.equal(await attempt(index), 401);
      assert.equal(await attempt(12), 429);
    } finally {
      await other.close();
    }
  });
  test('a header from a peer that is no trusted proxy does not hide the address', async () => {
    // The proxy 127.0.0.1 is trusted; what stands left of the right-most foreign address is the client's own claim.
    const address = anyAddress();
    for (let attempt = 0; attempt < 10; attempt++) {
      await stack.post(
        'login',
        { email: `hide${attempt}@example.org`, password: 'x' },
        { 'x-forwarded-for': `198.51.100.${attempt}, ${address}` },
      );
    }
    const reply = await stack.post(
      'login',
      { email: 'hide@example.org', password: 'x' },
      { 'x-forwarded-for': `198.51.100.99, ${address}` },
    );
    assert.equal(reply.status, 429);
  });
});

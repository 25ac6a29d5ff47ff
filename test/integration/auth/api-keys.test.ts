// API keys as administrators manage them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApiKey, ApiKeyCreated, ApiKeyList, Problem } from '@parley/protocol';
import { declared, newApiKey, newPerson, sha256, startAuthStack } from './auth-stack.ts';

let stack: Awaited<ReturnType<typeof startAuthStack>>;
before(async () => {
  stack = await startAuthStack();
});
after(() => stack.stop());

async function call<T>(method: string, path = '', { key = stack.apiKey, body }: { key?: string; body?: unknown } = {}) {
  const response = await fetch(`${stack.url}/api/v1/api-keys${path}`, {
    method,
    headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  declared({ method, path: `/api/v1/api-keys${path}`, status: response.status, type, body: text === '' ? undefined : JSON.parse(text) });
  return { status: response.status, headers: response.headers, body: (text === '' ? undefined : JSON.parse(text)) as T & Problem };
}

const create = (scopes: string[], name = 'a client') => call<ApiKeyCreated>('POST', '', { body: { name, scopes } });

async function listAll(limit: number): Promise<ApiKey[]> {
  const keys: ApiKey[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: { body: ApiKeyList } = await call('GET', `?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    assert.ok(page.body.api_keys.length <= limit);
    keys.push(...page.body.api_keys);
    cursor = page.body.next_cursor;
  }
  return keys;
}

describe('create', () => {
  test('answers the key once; it works at once for its scopes, and only its hash is kept', async () => {
    const { status, body, headers } = await create(['auth'], ' mobile ');
    assert.equal(status, 201);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(body.key, /^pk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/);
    assert.ok(body.key.startsWith(body.prefix));
    assert.deepEqual([body.name, body.scopes, body.last_used_at, body.revoked_at], ['mobile', ['auth'], null, null]);
    assert.equal((await stack.post('register', newPerson(), { 'x-api-key': body.key })).status, 201);
    const { rows } = await stack.postgres.query<{ hash: Buffer }>('SELECT hash FROM api_keys WHERE id = $1', [body.id]);
    assert.deepEqual(rows[0]?.hash, sha256(body.key));
    const listed = (await listAll(100)).find(({ id }) => id === body.id);
    assert.ok(listed && !('key' in listed));
    assert.ok(Date.now() - Date.parse(listed.last_used_at ?? '') < 60_000);
  });
  test('a key without the scope admin is forbidden, one without the scope auth registers nobody', async () => {
    const [client, admin] = [await create(['auth']), await create(['admin'])];
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['DELETE', '/1'],
    ] as const) {
      assert.equal((await call(method, path, { key: client.body.key })).status, 403);
    }
    assert.equal((await call('GET', '', { key: admin.body.key })).status, 200);
    assert.equal((await stack.post('register', newPerson(), { 'x-api-key': admin.body.key })).status, 403);
  });
  test('a wrong key is refused before its body is read', async () => {
    const { status, body } = await call('POST', '', { key: newApiKey(), body: { wrong: 1 } });
    assert.equal(status, 401);
    assert.equal(body.code, 'invalid_api_key');
  });
  for (const [name, wrong] of Object.entries({
    'no scope': { name: 'x', scopes: [] },
    'an unknown scope': { name: 'x', scopes: ['root'] },
    'a scope twice': { name: 'x', scopes: ['auth', 'auth'] },
    'no name': { scopes: ['auth'] },
    'a blank name': { name: '  ', scopes: ['auth'] },
    'a name with NUL': { name: 'a\u0000', scopes: ['auth'] },
    'an unknown field': { name: 'x', scopes: ['auth'], hash: 'x' },
  })) {
    test(`${name} is refused`, async () => {
      const { status, body } = await call('POST', '', { body: wrong });
      assert.equal(status, 400);
      assert.equal(body.code, 'invalid_request');
    });
  }
});

describe('list', () => {
  test('comes in pages that hold each key once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => create(['auth'])));
    const [small, large] = [await listAll(2), await listAll(100)];
    assert.deepEqual(
      small.map(({ id }) => id),
      large.map(({ id }) => id),
    );
    assert.equal(new Set(small.map(({ id }) => id)).size, small.length);
    assert.ok(small.some(({ name }) => name === 'bootstrap'));
  });
  test('a limit beyond 100 and a foreign cursor are refused', async () => {
    for (const query of ['?limit=101', '?limit=0', '?cursor=abc', '?cursor=99999999999999999999', '?cursor=-1', '?other=1']) {
      assert.equal((await call('GET', query)).status, 400, query);
    }
  });
});

describe('revoke', () => {
  test('ends a key at once, keeps it in the list, and may be asked for again', async () => {
    const { body } = await create(['auth']);
    assert.equal((await call('DELETE', `/${body.id}`)).status, 204);
    assert.equal((await stack.post('login', { email: 'a@example.org', password: 'x' }, { 'x-api-key': body.key })).status, 401);
    const first = (await listAll(100)).find(({ id }) => id === body.id)?.revoked_at;
    assert.ok(first);
    assert.equal((await call('DELETE', `/${body.id}`)).status, 204);
    assert.equal((await listAll(100)).find(({ id }) => id === body.id)?.revoked_at, first);
  });
  test('the key of the configuration stays: the next start would bring it back', async () => {
    const bootstrap = (await listAll(100)).find(({ name }) => name === 'bootstrap');
    const { status, body } = await call('DELETE', `/${bootstrap?.id}`);
    assert.equal(status, 409);
    assert.match(body.detail, /BOOTSTRAP_API_KEY/);
    assert.equal((await call('GET')).status, 200);
  });
  test('an unknown id is 404, what is no id 400', async () => {
    assert.equal((await call('DELETE', '/999999')).status, 404);
    assert.equal((await call('DELETE', '/abc')).status, 400);
  });
});

// Register, login, refresh and the key set against a real PostgreSQL.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTokenVerifier } from '@parley/kit/tokens';
import { decodeProtectedHeader } from 'jose';
import { deleteExpired } from '../../../services/auth/src/adapters/expired-sessions.ts';
import { newPerson, sha256, startAuthStack } from './auth-stack.ts';

let stack: Awaited<ReturnType<typeof startAuthStack>>;
before(async () => {
  stack = await startAuthStack();
});
after(() => stack.stop());

const rows = async <T extends object>(sql: string, values: unknown[] = []) => (await stack.postgres.query<T>(sql, values)).rows;
const verifier = () => createTokenVerifier({ jwksUrl: `${stack.url}/.well-known/jwks.json`, issuer: 'parley', audience: 'parley' });

describe('registration', () => {
  test('answers a token that verifies with the published keys, and stores no password', async () => {
    const person = newPerson();
    const { status, body, headers } = await stack.post('register', person);
    assert.equal(status, 201);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.deepEqual(body.user, { id: body.user.id, name: person.name, email: person.email });
    assert.equal(body.expires_in, 900);
    const identity = await verifier().verify(body.token);
    assert.equal(identity.userId, body.user.id);
    assert.equal(identity.email, person.email);
    assert.equal(identity.name, person.name);
    assert.equal(decodeProtectedHeader(body.token).kid, 'k1');
    assert.equal(decodeProtectedHeader(body.token).alg, 'EdDSA');
    const [user] = await rows<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = $1', [body.user.id]);
    assert.match(user?.password_hash ?? '', /^\$argon2id\$v=19\$m=19456,[tp]=[12],[tp]=[12]\$/);
    const [token] = await rows('SELECT 1 FROM refresh_tokens WHERE hash = $1', [sha256(body.refresh_token)]);
    assert.ok(token, 'the refresh token is kept as its hash');
  });
  test('writes one event for the worker, without the e-mail address', async () => {
    const person = newPerson();
    const { body } = await stack.post('register', person);
    const events = await rows<{ topic: string; payload: string }>('SELECT topic, payload FROM outbox WHERE event_key = $1', [
      String(body.user.id),
    ]);
    assert.equal(events.length, 1);
    assert.equal(events[0]?.topic, 'users');
    const event = JSON.parse(events[0]?.payload ?? '') as { type: string; data: unknown };
    assert.equal(event.type, 'chat.user.registered');
    assert.deepEqual(event.data, { user_id: body.user.id, name: person.name });
  });
  test('one of ten at the same time gets the address, whatever its case', async () => {
    const person = newPerson();
    const spellings = [person.email, person.email.toUpperCase(), `  ${person.email} `];
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, index) => stack.post('register', { ...person, email: spellings[index % 3] })),
    );
    assert.deepEqual(replies.map((reply) => reply.status).sort(), [201, ...Array<number>(9).fill(409)]);
    assert.ok(replies.every((reply) => reply.status === 201 || reply.body.code === 'email_taken'));
    const [winner] = replies.filter((reply) => reply.status === 201);
    assert.equal(winner?.body.user.email, person.email);
    const [count] = await rows<{ users: number; events: number; families: number }>(
      `SELECT count(*) AS users, (SELECT count(*) FROM outbox WHERE event_key = $2) AS events,
        (SELECT count(*) FROM refresh_families WHERE user_id = $3) AS families FROM users WHERE lower(email) = $1`,
      [person.email, String(winner?.body.user.id), winner?.body.user.id],
    );
    assert.deepEqual(count, { users: 1, events: 1, families: 1 });
  });
});

describe('login', () => {
  test('takes the address in any case and answers what registration answers', async () => {
    const person = newPerson();
    const registered = await stack.post('register', person);
    const { status, body } = await stack.post('login', { email: ` ${person.email.toUpperCase()}`, password: person.password });
    assert.equal(status, 200);
    assert.deepEqual(body.user, registered.body.user);
    assert.equal((await verifier().verify(body.token)).userId, registered.body.user.id);
    assert.notEqual(body.refresh_token, registered.body.refresh_token);
  });
  test('a wrong password, an unknown address, an impossible one and a disabled account get the same answer', async () => {
    const [person, disabled] = [newPerson(), newPerson()];
    await stack.post('register', person);
    const { body } = await stack.post('register', disabled);
    await rows('UPDATE users SET disabled_at = now() WHERE id = $1', [body.user.id]);
    const replies = await Promise.all([
      stack.post('login', { email: person.email, password: 'not the password' }),
      stack.post('login', { email: 'nobody@example.org', password: person.password }),
      stack.post('login', { email: 'no\u0000body@example.org', password: person.password }),
      stack.post('login', { email: disabled.email, password: disabled.password }),
    ]);
    const answers = replies.map(({ body }) => ({ ...body, request_id: '' }));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(answers[0]?.status, 401);
    assert.equal(answers[0]?.code, 'invalid_credentials');
  });
  test('an unknown address takes as long as a wrong password', async () => {
    const person = newPerson();
    await stack.post('register', person);
    const medianOf = async (email: () => string) => {
      const times: number[] = [];
      for (let index = 0; index < 7; index++) {
        const started = performance.now();
        await stack.post('login', { email: email(), password: 'not the password' });
        times.push(performance.now() - started);
      }
      return times.sort((a, b) => a - b)[3] ?? 0;
    };
    const known = await medianOf(() => person.email);
    const unknown = await medianOf(() => newPerson().email);
    // Without the dummy hash the factor is above ten; a busy machine stays well within three.
    assert.ok(unknown > known / 3 && unknown < known * 3, `known ${known} ms, unknown ${unknown} ms`);
  });
  test('a hash made with older parameters is renewed', async () => {
    const person = newPerson();
    const { body } = await stack.post('register', person);
    const { hash } = await import('@node-rs/argon2');
    const old = await hash(person.password, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    await rows('UPDATE users SET password_hash = $2 WHERE id = $1', [body.user.id, old]);
    assert.equal((await stack.post('login', person.password ? { email: person.email, password: person.password } : {})).status, 200);
    const [user] = await rows<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = $1', [body.user.id]);
    assert.match(user?.password_hash ?? '', /m=19456/);
    assert.equal((await stack.post('login', { email: person.email, password: person.password })).status, 200);
  });
});

describe('refresh', () => {
  test('answers a new pair each time; no API key is needed', async () => {
    const first = (await stack.post('register', newPerson())).body;
    const second = await stack.post('refresh', { refresh_token: first.refresh_token }, { 'x-api-key': undefined });
    assert.equal(second.status, 200);
    assert.notEqual(second.body.refresh_token, first.refresh_token);
    assert.deepEqual(second.body.user, first.user);
    const [before, after] = await Promise.all([first.token, second.body.token].map((token) => verifier().verify(token)));
    assert.equal(after?.userId, first.user.id);
    assert.match(after?.sid ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(after?.sid, before?.sid, 'both belong to one login');
    assert.notEqual(after?.jti, before?.jti);
    assert.equal((await stack.post('refresh', { refresh_token: second.body.refresh_token })).status, 200);
  });
  test('an expired, an unknown and a disabled user’s token get the same answer', async () => {
    const expired = (await stack.post('register', newPerson())).body;
    await rows("UPDATE refresh_tokens SET expires_at = now() - interval '1 second' WHERE hash = $1", [sha256(expired.refresh_token)]);
    const disabled = (await stack.post('register', newPerson())).body;
    await rows('UPDATE users SET disabled_at = now() WHERE id = $1', [disabled.user.id]);
    for (const refresh_token of [expired.refresh_token, disabled.refresh_token, 'rt_unknown']) {
      const { status, body } = await stack.post('refresh', { refresh_token });
      assert.equal(status, 401);
      assert.equal(body.code, 'invalid_refresh_token');
    }
  });
});

test('expired sessions are deleted, others stay', async () => {
  const [old, current] = [(await stack.post('register', newPerson())).body, (await stack.post('register', newPerson())).body];
  const family = '(SELECT family FROM refresh_tokens WHERE hash = $1)';
  await rows(`UPDATE refresh_families SET expires_at = now() - interval '1 day' WHERE id = ${family}`, [sha256(old.refresh_token)]);
  assert.ok((await deleteExpired(stack.postgres, new Date())) >= 1);
  const left = await rows('SELECT 1 FROM refresh_tokens WHERE hash = ANY($1)', [[old, current].map((body) => sha256(body.refresh_token))]);
  assert.equal(left.length, 1);
  assert.equal((await stack.post('refresh', { refresh_token: current.refresh_token })).status, 200);
});

describe('key set', () => {
  test('holds the public part only', async () => {
    const response = await fetch(`${stack.url}/.well-known/jwks.json`);
    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    assert.deepEqual(Object.keys(keys[0] ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    assert.equal(keys.length, 1);
  });
});

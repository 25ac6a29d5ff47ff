// Defects of the older system, part 10.1 (security): who may do what, and what a refused request does. Each name begins with the number.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { program } from '../../helpers/program.ts';
import { repositoryFiles, root } from '../../helpers/source-tree.ts';
import { ownAddress, startSystem, type System } from './system.ts';

let system: System;
before(async () => {
  system = await startSystem();
});
after(() => system?.stop());

describe('security: access', { timeout: 240_000 }, () => {
  test('10.1.1 no secret has a default: a service without them does not start and names what is missing', () => {
    const args = program('services/auth/src/main.ts');
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, env: {}, encoding: 'utf8', timeout: 30_000 });
    assert.equal(status, 78, stderr);
    for (const name of ['JWT_PRIVATE_KEYS', 'BOOTSTRAP_API_KEY', 'DATABASE_URL']) assert.match(stderr, new RegExp(name));
  });

  test('10.1.2 the repository holds nothing that looks like a secret', () => {
    const secret = /sk_(test|live)_[A-Za-z0-9]{16}|pk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}|-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]/;
    const files = repositoryFiles().filter((path) => !path.startsWith('test/'));
    assert.ok(files.includes('README.md'), 'the whole tree is read');
    assert.deepEqual(
      files.filter((path) => secret.test(readFileSync(join(root, path), 'utf8'))),
      [],
    );
  });

  test('10.1.3 a refused request does nothing: neither without a key nor over the limit', async () => {
    const account = () => ({ name: 'Eve', email: `${randomUUID()}@example.org`, password: 'long enough 1' });
    const keyless = account();
    const register = { body: keyless, base: system.local.urls.auth };
    assert.equal((await system.call('POST', '/api/v1/auth/register', register)).status, 401);
    assert.equal((await system.auth('register', keyless)).status, 201, 'the address is still free');

    const address = ownAddress();
    const limited = account();
    let status = 0;
    for (let tries = 0; tries < 12 && status !== 429; tries++) {
      ({ status } = await system.auth('login', { email: `${randomUUID()}@example.org`, password: 'wrong' }, address));
    }
    assert.equal(status, 429);
    assert.equal((await system.auth('register', limited, address)).status, 429);
    assert.equal((await system.auth('register', limited)).status, 201, 'the address is still free');
  });

  test('10.1.7 who has left reads nothing, says nothing and hears nothing', async () => {
    const [ada, bob] = await system.people('Ada', 'Bob');
    assert.ok(ada && bob);
    const room = await system.group(ada, bob);
    const [one, two] = [await system.socket(ada), await system.socket(bob)];
    for (const client of [one, two]) assert.equal((await client.join(room)).type, 'joined');
    assert.equal((await system.call('POST', `/api/rooms/${room}/leave`, { as: bob })).status, 204);
    await two.next((frame) => frame.type === 'left' && frame['room_id'] === room);

    assert.equal((await one.say(room, 'without Bob', randomUUID())).type, 'ack');
    assert.equal((await system.call('GET', `/api/rooms/${room}/messages`, { as: bob })).body.code, 'not_a_member');
    assert.equal((await two.say(room, 'still here', randomUUID()))['code'], 'not_a_member');
    assert.equal((await two.join(room))['code'], 'not_a_member');
    assert.ok(two.messages(room).every((frame) => frame['content'] !== 'without Bob'));
  });

  test('10.1.8 typing in a room of others is refused and nobody sees it', async () => {
    const [ada, bob, eve] = await system.people('Ada', 'Bob', 'Eve');
    assert.ok(ada && bob && eve);
    const room = await system.group(ada, bob);
    const [one, two, three] = [await system.socket(ada), await system.socket(bob), await system.socket(eve)];
    for (const client of [one, two]) await client.join(room);
    three.send({ type: 'typing', room_id: room, is_typing: true });
    await three.next((frame) => frame.type === 'error' && frame['code'] === 'not_a_member');
    // Bob's sign comes after it: had Eve's been passed on, it would be there.
    two.send({ type: 'typing', room_id: room, is_typing: true });
    await one.next((frame) => frame.type === 'typing');
    assert.deepEqual(
      one.frames.filter(({ type }) => type === 'typing').map((frame) => frame['user_id']),
      [bob.id],
    );
  });

  test('10.1.9 nobody sends as the system', async () => {
    const [ada, bob] = await system.people('Ada', 'Bob');
    assert.ok(ada && bob);
    const room = await system.direct(ada, bob);
    const client = await system.socket(ada);
    for (const message_type of ['system', 'anything']) {
      client.send({ type: 'message', room_id: room, content: 'Bob has left', message_type });
      const body = { content: 'Bob has left', message_type };
      assert.equal((await system.call('POST', `/api/rooms/${room}/messages`, { as: ada, body })).body.code, 'invalid_request');
    }
    await client.until(() => client.frames.filter((frame) => frame['code'] === 'invalid_frame').length === 2 || undefined);
    assert.equal((await client.say(room, 'hello', randomUUID())).type, 'ack');
    const { body } = await system.call('GET', `/api/rooms/${room}/messages`, { as: bob });
    assert.ok(!JSON.stringify(body).includes('Bob has left'));
  });

  test('10.1.11 wrong input is refused before it reaches a database', async () => {
    const ada = await system.person('Ada');
    const account = { name: 'Eve', email: `${randomUUID()}@example.org`, password: 'long enough 1' };
    for (const wrong of [{ email: 'nobody' }, { password: 'short' }, { name: ' ' }, { password: 'x'.repeat(129) }, { admin: true }])
      assert.equal((await system.auth('register', { ...account, ...wrong })).status, 400, JSON.stringify(wrong));
    const room = await system.group(ada);
    const refused: [string, string, unknown, number][] = [
      ['POST', '/api/rooms', { room_type: 'group', name: 'x'.repeat(121), member_ids: [] }, 400],
      ['POST', '/api/rooms', { room_type: 'group', name: 'x', member_ids: Array.from({ length: 101 }, (_, id) => id + 1) }, 400],
      ['POST', `/api/rooms/${room}/messages`, { content: '' }, 400],
      ['POST', `/api/rooms/${room}/messages`, { content: 'x'.repeat(8193) }, 413],
      ['POST', `/api/rooms/${room}/messages`, { content: 'x', metadata: { long: 'x'.repeat(5000) } }, 400],
      ['GET', `/api/rooms/${room}/messages?limit=-1`, undefined, 400],
    ];
    for (const [method, path, body, status] of refused) {
      const answer = await system.call(method, path, { as: ada, ...(body === undefined ? {} : { body }) });
      assert.equal(answer.status, status, `${path} ${answer.text}`);
    }

    // bcrypt looked at 72 bytes: here each character counts.
    const long = { ...account, password: `${'x'.repeat(80)}1` };
    assert.equal((await system.auth('register', long)).status, 201);
    assert.equal((await system.auth('login', { email: long.email, password: `${'x'.repeat(80)}2` })).status, 401);
    assert.equal((await system.auth('login', { email: long.email, password: long.password })).status, 200);
  });

  test('10.1.17 leaves and joins are limited, and so are the sockets of a user', async () => {
    const ada = await system.person('Ada');
    const room = await system.group(ada);
    const client = await system.socket(ada);
    for (let index = 0; index < 200; index++) client.send({ type: 'leave_room', room_id: room });
    await client.next((frame) => frame.type === 'rate_limit_exceeded');
    for (let index = 0; index < 10; index++) await system.socket(ada);
    assert.equal((await client.waitClosed()).code, 4409);
  });

  test('10.1.18 there are no payments; a webhook is signed with a secret that is shown once', async () => {
    const { apiKey, urls } = system.local;
    for (const path of ['/api/payments', '/api/v1/payments', '/api/v1/payments/webhook'])
      assert.equal((await system.call('GET', path, { headers: { 'x-api-key': apiKey } })).status, 404, path);
    const document = await system.call('GET', '/api/openapi.json', { base: urls.gateway });
    assert.ok(document.body.paths['/api/rooms'] && !document.text.includes('payment'));

    const key = { headers: { 'x-api-key': apiKey } };
    const body = { url: 'https://example.org/hook', events: ['chat.message.created'] };
    assert.equal((await system.call('POST', '/api/v1/webhooks', { body })).status, 401);
    const made = await system.call('POST', '/api/v1/webhooks', { ...key, body });
    assert.equal(made.status, 201, made.text);
    assert.ok(made.body.secret.length >= 32);
    assert.ok(!(await system.call('GET', '/api/v1/webhooks', key)).text.includes(made.body.secret));
  });
});

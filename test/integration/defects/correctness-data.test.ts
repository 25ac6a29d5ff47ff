// Defects of the older system, part 10.2 (correctness): what is stored and what the services answer. Each name begins with the number.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { startSystem, type Person, type System } from './system.ts';

let system: System;
before(async () => {
  system = await startSystem();
});
after(() => system?.stop());

const two = async (): Promise<[Person, Person]> => [await system.person('Ada'), await system.person('Bob')];
const at = (path: string, as: Person) => system.call('GET', path, { as });
const post = (path: string, as: Person, body?: object) => system.call('POST', path, { as, ...(body ? { body } : {}) });

describe('correctness: data', { timeout: 240_000 }, () => {
  test('10.2.6 pages of a log neither skip nor repeat, also of messages of one moment', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const client = await system.socket(ada);
    const sent = Array.from({ length: 15 }, (_, index) => `message ${index}`);
    await Promise.all(sent.map((content) => client.say(room, content, randomUUID().slice(0, 8))));
    const seqs: number[] = [];
    let path = `/api/rooms/${room}/messages?limit=4`;
    for (let more = true; more;) {
      const { body } = await at(path, bob);
      seqs.push(...body.messages.map(({ seq }) => seq));
      more = body.has_more;
      path = `/api/rooms/${room}/messages?limit=4&before_seq=${seqs.at(-1)}`;
    }
    const newest = seqs[0] ?? 0;
    assert.ok(seqs.length >= 15);
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => newest - index),
    );
  });

  test('10.2.7 two people have one direct room, made at once or not; nobody has one with himself or with nobody', async () => {
    const [ada, bob] = await two();
    const other = await system.socket(bob);
    const asks = [ada, bob, ada, bob].map((one) => post('/api/rooms/direct', one, { other_user_id: one === ada ? bob.id : ada.id }));
    const answers = await Promise.all(asks);
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1, answers.map(({ text }) => text).join());
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    await other.next((frame) => frame.type === 'room_created' && frame['room_id'] === answers[0]?.body.id);
    const self = await post('/api/rooms/direct', ada, { other_user_id: ada.id });
    assert.ok(self.status >= 400 && self.status < 500, self.text);
    assert.equal((await post('/api/rooms/direct', ada, { other_user_id: 999_999_999 })).body.code, 'user_not_found');
  });

  test('10.2.8 an invitation makes a member once and whole; who has left may come again', async () => {
    const [ada, bob] = await two();
    const room = await system.group(ada);
    const invited = await post(`/api/rooms/${room}/members`, ada, { user_ids: [bob.id] });
    const accept = `/api/invitations/${invited.body.invitations[0]?.id}/accept`;
    const answers = await Promise.all([1, 2, 3].map(() => post(accept, bob)));
    assert.ok(answers.some(({ status }) => status === 200) && answers.every(({ status }) => [200, 409].includes(status)));
    const members = async () => (await at(`/api/rooms/${room}/members`, ada)).body.members.length;
    assert.equal(await members(), 2);
    const { body } = await at(`/api/rooms/${room}/messages?limit=100`, ada);
    const after = body.messages.length;
    assert.equal((await post(`/api/rooms/${room}/leave`, bob)).status, 204);
    assert.equal(await members(), 1);
    await system.add(room, ada, bob);
    assert.equal(await members(), 2);
    // Left and joined again: one entry each, so the three accepts have made one.
    assert.equal((await at(`/api/rooms/${room}/messages?limit=100`, ada)).body.messages.length, after + 2);

    const half = await post('/api/rooms', ada, { room_type: 'group', name: 'Half', member_ids: [999_999_999] });
    assert.equal(half.body.code, 'user_not_found');
    assert.ok(!(await at('/api/rooms', ada)).text.includes('Half'), 'a refused room is not there');
  });

  test('10.2.9 the last admin hands the room over and leaves; who declined is invited again', async () => {
    const [ada, bob] = await two();
    const room = await system.group(ada);
    const invite = () => post(`/api/rooms/${room}/members`, ada, { user_ids: [bob.id] });
    const first = await invite();
    assert.equal((await post(`/api/invitations/${first.body.invitations[0]?.id}/decline`, bob)).status, 200);
    const again = await invite();
    assert.equal(again.status, 201, again.text);
    assert.equal((await post(`/api/invitations/${again.body.invitations[0]?.id}/accept`, bob)).status, 200);
    const role = await system.call('PATCH', `/api/rooms/${room}/members/${bob.id}`, { as: ada, body: { role: 'admin' } });
    assert.equal(role.status, 200, role.text);
    assert.equal((await post(`/api/rooms/${room}/leave`, ada)).status, 204);
    assert.equal((await system.call('PATCH', `/api/rooms/${room}`, { as: bob, body: { name: 'Mine' } })).status, 200);
  });

  test('10.2.10 a hidden room is listed when asked for and can be shown again', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    const listed = async (query = '') => (await at(`/api/rooms${query}`, ada)).text.includes(room);
    assert.equal(await listed(), true);
    assert.equal((await post(`/api/rooms/${room}/hide`, ada)).status, 204);
    assert.deepEqual([await listed(), await listed('?include_hidden=true')], [false, true]);
    assert.equal((await post(`/api/rooms/${room}/unhide`, ada)).status, 204);
    assert.equal(await listed(), true);
  });

  test('10.2.15 calls at once take from one bucket: not more pass than it holds', async () => {
    const address = '192.0.2.77';
    const tries = Array.from({ length: 30 }, () =>
      system.auth('login', { email: `${randomUUID()}@example.org`, password: 'wrong' }, address),
    );
    const answers = await Promise.all(tries);
    const passed = answers.filter(({ status }) => status === 401).length;
    // Ten at once; one more may have come back while they were answered.
    assert.ok(passed >= 1 && passed <= 12, `${passed} of 30 passed`);
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 30 - passed);
    assert.ok(refused.every(({ headers }) => Number(headers.get('retry-after')) >= 1));
  });

  test('10.2.17 every error is a problem of one shape', async () => {
    const ada = await system.person('Ada');
    const { urls } = system.local;
    const answers = [
      await system.call('GET', '/api/rooms'),
      await at('/api/rooms/nothing', ada),
      await at('/no/such/path', ada),
      await system.call('PUT', '/api/rooms', { as: ada }),
      await post('/api/rooms', ada, { room_type: 'circle' }),
      await system.call('POST', '/api/v1/auth/login', { body: {}, base: urls.auth }),
      await system.call('GET', '/no/such/path', { base: urls.chat }),
      await system.call('GET', '/api/ws', { base: urls.chat }),
    ];
    for (const { status, headers, body, text } of answers) {
      assert.ok(status >= 400 && status < 500, text);
      assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/, text);
      assert.equal(body.status, status);
      for (const field of ['type', 'title', 'detail', 'code', 'request_id'] as const) assert.equal(typeof body[field], 'string', text);
    }
  });

  test('10.2.20 events wait in the outbox while there is no broker: none is lost', async () => {
    const [ada, bob] = await two();
    const room = await system.direct(ada, bob);
    assert.equal((await post(`/api/rooms/${room}/messages`, ada, { content: 'wait' })).status, 201);
    const connection = await createConnection(system.local.databases['mysql'] ?? '');
    try {
      const [rows] = await connection.query('SELECT COUNT(*) AS waiting FROM outbox');
      assert.ok((rows as { waiting: number }[])[0]!.waiting >= 2, 'a room and a message');
    } finally {
      await connection.end();
    }
  });

  test('10.2.21 rooms are listed with their members in one call, and who is removed is a member nowhere', async () => {
    const [ada, bob] = await two();
    const room = await system.group(ada, bob);
    const members = async () => (await at('/api/rooms', ada)).body.rooms.find(({ id }) => id === room)?.members ?? [];
    assert.deepEqual(
      (await members()).map(({ user_id }) => user_id),
      [ada.id, bob.id],
    );
    const client = await system.socket(bob);
    assert.equal((await client.say(room, 'a member', randomUUID())).type, 'ack');
    assert.equal((await system.call('DELETE', `/api/rooms/${room}/members/${bob.id}`, { as: ada })).status, 204);
    assert.equal((await members()).length, 1);
    assert.equal((await client.say(room, 'no member', randomUUID()))['code'], 'not_a_member');
  });

  test('10.2.14 a replica that does not answer gets no calls until it answers again', async () => {
    const { pids, urls, chatInstances } = system.local;
    const instance = async () => {
      const answer = await fetch(`${urls.chat}/api/health`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      return answer?.ok ? ((await answer.json()) as { instance: string }).instance : undefined;
    };
    const tenCalls = async () => {
      const names: (string | undefined)[] = [];
      for (let index = 0; index < 10; index++) names.push(await instance());
      return new Set(names);
    };
    const within = async (what: string, check: () => Promise<boolean>) => {
      const deadline = performance.now() + 60_000;
      while (!(await check())) assert.ok(performance.now() < deadline, what);
    };
    const [stopped, other] = chatInstances.map(({ name }) => name);
    await within('both replicas answer', async () => (await tenCalls()).size === 2);
    process.kill(pids[stopped ?? ''] ?? 0, 'SIGSTOP');
    try {
      await within('all calls go to the other replica', async () => {
        const names = await tenCalls();
        return names.size === 1 && names.has(other);
      });
    } finally {
      process.kill(pids[stopped ?? ''] ?? 0, 'SIGCONT');
    }
    await within('the replica gets calls again', async () => (await tenCalls()).has(stopped));
  });
});

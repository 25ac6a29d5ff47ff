// Rooms: creation of pairs and groups, lists, history, against real databases.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { toBinary } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { mysqlRooms } from '../../../services/core/src/adapters/mysql-rooms.ts';
import { DISABLED_USER, startCoreStack, type CoreStack, type Reply } from './core-stack.ts';

let stack: CoreStack;
const call = (...args: Parameters<CoreStack['call']>): Promise<Reply> => stack.call(...args);
const direct = (from: number, to: number) => call(from, 'POST', '/api/rooms', { room_type: 'direct', member_ids: [to] });
const group = (from: number, name: string, members: number[] = []) =>
  call(from, 'POST', '/api/rooms', { room_type: 'group', name, member_ids: members });
const rowsOf = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await stack.mysql.query<RowDataPacket[]>(sql, values))[0];

/** Puts `count` entries into a room's log, as the writer does. */
async function fill(roomId: string, count: number, at = new Date()): Promise<void> {
  const id = toBinary(roomId);
  const rows = Array.from({ length: count }, (_, index) => [
    id,
    index + 1,
    toBinary(crypto.randomUUID()),
    'message',
    index + 1,
    1,
    'name 1',
    `text ${index + 1}`,
    'text',
    at,
  ]);
  await stack.mysql.query(
    'INSERT INTO messages (room_id, seq, id, kind, message_no, sender_id, sender_name, content, message_type, created_at) VALUES ?',
    [rows],
  );
  await stack.mysql.query('UPDATE rooms SET last_seq = ?, message_count = ?, last_message_at = ? WHERE id = ?', [count, count, at, id]);
}

before(async () => {
  stack = await startCoreStack();
});
after(() => stack.stop());

describe('users', () => {
  test('shows the own e-mail address and nobody else’s', async () => {
    assert.deepEqual((await call(1, 'GET', '/api/v1/users/me')).body, { id: 1, name: 'name 1', email: 'u1@example.org' });
    assert.deepEqual((await call(1, 'GET', '/api/v1/users/1')).body, { id: 1, name: 'name 1', email: 'u1@example.org' });
    for (const round of ['from the database', 'from the cache'])
      assert.deepEqual((await call(1, 'GET', '/api/v1/users/2')).body, { id: 2, name: 'name 2' }, round);
  });
  test('answers 404 for an unknown user and 400 for what is no id', async () => {
    assert.equal((await call(1, 'GET', '/api/v1/users/9999')).body.code, 'user_not_found');
    const wrong = await call(1, 'GET', '/api/v1/users/abc');
    assert.deepEqual([wrong.status, wrong.body.code], [400, 'invalid_request']);
  });
  test('refuses a call without a token with a problem document', async () => {
    const { status, body, type } = await call(undefined, 'GET', '/api/v1/users/me');
    assert.equal(status, 401);
    assert.match(type, /^application\/problem\+json/);
    assert.equal(body.code, 'unauthorized');
  });
});

describe('direct rooms', () => {
  test('are created once: 201, then 200 for both members', async () => {
    const created = await direct(1, 2);
    assert.equal(created.status, 201);
    assert.deepEqual(
      created.body.members.map(({ user_id, name }) => [user_id, name]),
      [
        [1, 'name 1'],
        [2, 'name 2'],
      ],
    );
    for (const again of [await direct(1, 2), await direct(2, 1)]) {
      assert.equal(again.status, 200);
      assert.equal(again.body.id, created.body.id);
    }
    const listed = await call(2, 'GET', '/api/rooms');
    assert.deepEqual(
      listed.body.rooms.map((room) => room.id),
      [created.body.id],
    );
  });
  test('stay one when 20 calls of both sides come at once', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? direct(3, 4) : direct(4, 3))));
    assert.equal(new Set(replies.map((reply) => reply.body.id)).size, 1, JSON.stringify(replies.map((reply) => reply.body)));
    assert.deepEqual(replies.map((reply) => reply.status).sort(), [...Array.from({ length: 19 }, () => 200), 201]);
    const [rooms, members, events] = [
      await rowsOf("SELECT id FROM rooms WHERE direct_key = '3:4'"),
      await rowsOf("SELECT user_id FROM room_members m JOIN rooms r ON r.id = m.room_id WHERE r.direct_key = '3:4' AND m.state = 'active'"),
      await rowsOf("SELECT payload FROM outbox WHERE topic = 'chat.rooms' AND event_key = ?", [replies[0]?.body.id]),
    ];
    assert.deepEqual([rooms.length, members.length, events.length], [1, 2, 1]);
  });
  for (const [what, body, status, code] of [
    ['with oneself', { room_type: 'direct', member_ids: [5] }, 400, 'invalid_request'],
    ['with nobody', { room_type: 'direct', member_ids: [] }, 400, 'invalid_request'],
    ['with two others', { room_type: 'direct', member_ids: [6, 7] }, 400, 'invalid_request'],
    ['with an unknown user', { room_type: 'direct', member_ids: [9999] }, 404, 'user_not_found'],
    ['with a disabled user', { room_type: 'direct', member_ids: [DISABLED_USER] }, 404, 'user_not_found'],
    ['with an unknown field', { room_type: 'direct', member_ids: [6], color: 'red' }, 400, 'invalid_request'],
    ['of an unknown type', { room_type: 'channel', member_ids: [6] }, 400, 'invalid_request'],
    ['from broken JSON', '{"room_type":', 400, 'invalid_request'],
  ] as const) {
    test(`are refused ${what}, and nothing is written`, async () => {
      const before = await rowsOf('SELECT COUNT(*) AS n FROM rooms');
      const reply = await call(5, 'POST', '/api/rooms', body);
      assert.deepEqual([reply.status, reply.body.code], [status, code]);
      assert.deepEqual(await rowsOf('SELECT COUNT(*) AS n FROM rooms'), before);
    });
  }
});

describe('groups', () => {
  test('make the creator admin and invite the others', async () => {
    const { status, body } = await group(10, '  friends ', [10, 11, 12]);
    assert.equal(status, 201);
    assert.equal(body.name, 'friends');
    assert.deepEqual(body.members, [{ user_id: 10, name: 'name 10', role: 'admin' }]);
    assert.deepEqual((await call(11, 'GET', '/api/rooms')).body.rooms, []);
    const [invitation] = (await call(11, 'GET', '/api/invitations')).body.invitations;
    assert.deepEqual(
      [invitation?.room_id, invitation?.room_name, invitation?.invited_by, invitation?.state],
      [body.id, 'friends', 10, 'pending'],
    );
    const events = await rowsOf('SELECT payload FROM outbox WHERE event_key = ? ORDER BY id', [body.id]);
    assert.deepEqual(
      events.map((row) => (JSON.parse(row['payload'] as string) as { type: string }).type),
      ['chat.room.created', 'chat.invitation.created', 'chat.invitation.created'],
    );
  });
  test('need a name and known members, and take 100 of them', async () => {
    assert.equal((await call(10, 'POST', '/api/rooms', { room_type: 'group', member_ids: [] })).status, 400);
    assert.equal((await group(10, '   ')).status, 400);
    assert.equal((await group(10, 'x', [9999])).status, 404);
    const many = Array.from({ length: 100 }, (_, index) => index + 15);
    assert.equal((await group(10, 'many', many)).status, 201);
    assert.equal((await group(10, 'too many', [...many, 11])).status, 400);
  });
});

describe('the list of rooms', () => {
  test('pages by last message without skipping or repeating, also among equal times', async () => {
    const made: string[] = [];
    for (let index = 0; index < 23; index++) made.push((await group(50, `room ${index}`)).body.id);
    const at = new Date(Date.now() + 60_000);
    for (const [index, id] of made.entries()) if (index % 2) await fill(id, 1, index < 12 ? at : new Date(at.getTime() + index));
    const all = (await call(50, 'GET', '/api/rooms?limit=100')).body.rooms;
    assert.equal(all.length, 23);
    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: Reply = await call(50, 'GET', `/api/rooms?limit=5${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      paged.push(...body.rooms.map((room) => room.id));
      cursor = body.next_cursor;
    }
    assert.deepEqual(
      paged,
      all.map((room) => room.id),
    );
    assert.equal(all.find((room) => room.id === made[1])?.last_message?.content, 'text 1');
    assert.equal(all.find((room) => room.id === made[1])?.unread_count, 1);
  });
  test('refuses a foreign cursor and a wrong limit', async () => {
    for (const query of ['cursor=abc', 'limit=0', 'limit=101', 'limit=x', 'colour=red'])
      assert.equal((await call(1, 'GET', `/api/rooms?${query}`)).status, 400, query);
  });
  test('takes the same number of queries for one room and for twenty', async () => {
    const counts: number[] = [];
    for (const limit of [1, 20]) {
      let queries = 0;
      const counting = new Proxy(stack.mysql, {
        get(pool, name): unknown {
          if (name !== 'query') return Reflect.get(pool, name);
          queries++;
          return pool.query.bind(pool);
        },
      });
      const rooms = mysqlRooms(counting);
      const views = await rooms.list(50, { limit, includeHidden: false });
      assert.equal(views.length, limit);
      await rooms.members(views.map((view) => view.id));
      counts.push(queries);
    }
    assert.deepEqual(counts, [2, 2]);
  });
});

describe('history', () => {
  test('is newest first, upwards with after_seq, and paged', async () => {
    const { body: room } = await direct(60, 61);
    await fill(room.id, 120);
    const seqs = async (query: string) => {
      const { body } = await call(61, 'GET', `/api/rooms/${room.id}/messages${query}`);
      return { seqs: body.messages.map((entry) => entry.seq), more: body.has_more };
    };
    const down = (from: number, count: number) => Array.from({ length: count }, (_, index) => from - index);
    assert.deepEqual(await seqs(''), { seqs: down(120, 50), more: true });
    assert.deepEqual(await seqs('?limit=100'), { seqs: down(120, 100), more: true });
    assert.deepEqual(await seqs('?before_seq=21&limit=20'), { seqs: down(20, 20), more: false });
    assert.deepEqual(await seqs('?after_seq=118'), { seqs: [119, 120], more: false });
    assert.deepEqual(await seqs('?after_seq=0&limit=2'), { seqs: [1, 2], more: true });
  });
  test('is refused to others, for unknown rooms and with both bounds', async () => {
    const { body: room } = await direct(60, 61);
    for (const id of [room.id, crypto.randomUUID()]) {
      const reply = await call(62, 'GET', `/api/rooms/${id}/messages`);
      assert.deepEqual([reply.status, reply.body.code], [403, 'not_a_member']);
    }
    assert.equal((await call(60, 'GET', `/api/rooms/${room.id}/messages?before_seq=5&after_seq=1`)).status, 400);
    assert.equal((await call(60, 'GET', '/api/rooms/not-a-room/messages')).status, 400);
  });
});

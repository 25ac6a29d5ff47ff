// Messages and read markers over REST: the log, idempotency, limits, what sockets hear.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { parseRoomUpdates, ROOM_UPDATES_CHANNEL, toBinary } from '@parley/chat-store';
import { createSubscriber } from '@parley/kit/redis';
import type { RowDataPacket } from 'mysql2';
import { Channels } from './channels.ts';
import { log, startCoreStack, type CoreStack, type Reply } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

let stack: CoreStack;
let channels: Channels;
before(async () => {
  stack = await startCoreStack({ MESSAGE_MAX_BYTES: '100' });
  channels = await new Channels(stack.servers.redis.url).start();
});
after(async () => {
  channels?.stop();
  await stack?.stop();
});
beforeEach(() => channels.clear());

const call = (...args: Parameters<CoreStack['call']>): Promise<Reply> => stack.call(...args);
const rowsOf = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await stack.mysql.query<RowDataPacket[]>(sql, values))[0];
const direct = async (a: number, b: number): Promise<string> => (await call(a, 'POST', '/api/rooms/direct', { other_user_id: b })).body.id;
const say = (userId: number, roomId: string, body: unknown, headers: Record<string, string> = {}) =>
  stack.send(userId, { method: 'POST', path: `/api/rooms/${roomId}/messages`, body, headers });
const read = (userId: number, roomId: string, body?: unknown) => call(userId, 'POST', `/api/rooms/${roomId}/mark-read`, body);
const roomOf = async (userId: number, roomId: string) => (await call(userId, 'GET', `/api/rooms/${roomId}`)).body;

describe('a message', () => {
  test('is stored, answered as an entry, announced to the room and found in the history', async () => {
    const roomId = await direct(1, 2);
    await channels.clear();
    const { status, body } = await say(1, roomId, { content: 'hello', metadata: { a: [1] }, client_msg_id: 'c-1' });
    assert.equal(status, 201);
    assert.deepEqual(
      [body.seq, body.kind, body.sender_id, body.sender_name, body.content, body.message_type, body.client_msg_id],
      [1, 'message', 1, 'name 1', 'hello', 'text', 'c-1'],
    );
    const [stored] = (await call(2, 'GET', `/api/rooms/${roomId}/messages`)).body.messages;
    assert.deepEqual(stored, body);
    await eventually('the room hears of it', async () => (await channels.onRoom(roomId)).length === 1);
    const [heard] = await channels.onRoom(roomId);
    assert.deepEqual(heard?.header, { v: 1, seq: 1, n: 1, from: 'core-test' });
    assert.deepEqual(heard.frames, [{ ...body, type: 'message' }]);
    const outbox = await rowsOf("SELECT payload FROM outbox WHERE topic = 'chat.messages' AND event_key = ?", [roomId]);
    assert.deepEqual(
      outbox.map((row) => JSON.parse(row['payload'] as string) as unknown),
      [{ room_id: roomId, from_seq: 1, to_seq: 1 }],
    );
  });
  test('is stored once for one client id, given in the body or as Idempotency-Key', async () => {
    const roomId = await direct(1, 3);
    const first = await say(1, roomId, { content: 'once', client_msg_id: 'key_1' });
    const repeats = await Promise.all([
      say(1, roomId, { content: 'another text', client_msg_id: 'key_1' }),
      say(1, roomId, { content: 'once' }, { 'idempotency-key': 'key_1' }),
      say(1, roomId, { content: 'once' }, { 'idempotency-key': '"key_1"' }),
    ]);
    for (const repeat of repeats) assert.deepEqual([repeat.status, repeat.body], [200, first.body]);
    const both = await Promise.all(Array.from({ length: 20 }, () => say(1, roomId, { content: 'race' }, { 'idempotency-key': 'race' })));
    assert.deepEqual(both.map((reply) => reply.status).sort(), [...Array.from({ length: 19 }, () => 200), 201]);
    assert.equal(new Set(both.map((reply) => reply.body.seq)).size, 1);
    assert.equal((await roomOf(1, roomId)).last_seq, 2);
    assert.equal((await say(3, roomId, { content: 'my own' }, { 'idempotency-key': 'key_1' })).status, 201);
    const metrics = await stack.metrics();
    assert.match(metrics, /chat_messages_sent_total\{.*duplicate="true".*\} 22\n/);
  });
  test('keeps many senders in one dense order', async () => {
    const roomId = await direct(4, 5);
    // A slow machine may refuse one as overloaded: then nothing was stored, and the sender comes again.
    const sayUntilTaken = async (index: number) => {
      let reply = await say(4 + (index % 2), roomId, { content: `text ${index}` });
      for (; reply.status === 503; reply = await say(4 + (index % 2), roomId, { content: `text ${index}` })) await sleep(100);
      return reply;
    };
    const replies = await Promise.all(Array.from({ length: 60 }, (_, index) => sayUntilTaken(index)));
    assert.deepEqual(
      replies.map((reply) => reply.body.seq).sort((a, b) => a - b),
      replies.map((_, index) => index + 1),
    );
    const [room] = await rowsOf('SELECT last_seq, message_count FROM rooms WHERE id = ?', [toBinary(roomId)]);
    assert.deepEqual({ ...room }, { last_seq: 60, message_count: 60 });
  });
  for (const [what, body, headers, status, code] of [
    ['too large', { content: 'x'.repeat(101) }, {}, 413, 'message_too_large'],
    ['too large in bytes', { content: 'ü'.repeat(51) }, {}, 413, 'message_too_large'],
    ['empty', { content: '' }, {}, 400, 'invalid_request'],
    ['without content', {}, {}, 400, 'invalid_request'],
    ['not well-formed Unicode', '{"content":"\\ud800"}', {}, 400, 'invalid_request'],
    ['of the system', { content: 'x', message_type: 'system' }, {}, 400, 'invalid_request'],
    ['with too much metadata', { content: 'x', metadata: { a: 'x'.repeat(5000) } }, {}, 400, 'invalid_request'],
    ['with an unknown field', { content: 'x', sender_id: 3 }, {}, 400, 'invalid_request'],
    ['with a wrong key', { content: 'x' }, { 'idempotency-key': 'a b' }, 400, 'invalid_request'],
    ['with two keys', { content: 'x', client_msg_id: 'a' }, { 'idempotency-key': 'b' }, 400, 'invalid_request'],
  ] as const) {
    test(`is refused when it is ${what}`, async () => {
      const roomId = await direct(6, 7);
      const before = (await roomOf(6, roomId)).last_seq;
      const reply = await say(6, roomId, body, headers);
      assert.deepEqual([reply.status, reply.body.code], [status, code], reply.body.detail);
      assert.equal((await roomOf(6, roomId)).last_seq, before);
    });
  }
  test('is refused to strangers and in unknown rooms', async () => {
    for (const roomId of [await direct(1, 2), crypto.randomUUID()]) {
      const reply = await say(9, roomId, { content: 'x' });
      assert.deepEqual([reply.status, reply.body.code], [403, 'not_a_member']);
    }
  });
  test('shows a hidden room again and tells its members that it has grown', async () => {
    const roomId = await direct(10, 11);
    const subscriber = createSubscriber(stack.servers.redis.url, 'test', log);
    const updates: unknown[] = [];
    subscriber.on('message', (_channel, text) => updates.push(...(parseRoomUpdates(text) ?? ['not in the format'])));
    await subscriber.subscribe(ROOM_UPDATES_CHANNEL);
    assert.equal((await call(11, 'POST', `/api/rooms/${roomId}/hide`)).status, 204);
    const { body } = await say(10, roomId, { content: 'are you there' });
    assert.equal((await roomOf(11, roomId)).is_hidden, false);
    const expected = { room_id: roomId, last_seq: 1, last_message_at: body.created_at, members: [10, 11] };
    await eventually('the update is published', () => updates.some((each) => (each as { room_id: string }).room_id === roomId));
    assert.deepEqual(
      updates.find((each) => (each as { room_id: string }).room_id === roomId),
      expected,
    );
    subscriber.disconnect();
  });
});

describe('a read marker', () => {
  test('moves forward only, counts what is unread, and tells the user’s devices and the room', async () => {
    const roomId = await direct(12, 13);
    for (const content of ['a', 'b', 'c']) await say(12, roomId, { content });
    await channels.clear();
    const marked = await read(13, roomId, { seq: 2 });
    assert.deepEqual([marked.status, marked.body], [200, { room_id: roomId, last_read_seq: 2, unread_count: 1 }]);
    const frame = { type: 'read', room_id: roomId, user_id: 13, seq: 2 };
    assert.deepEqual(await channels.toUser(13), [frame, { type: 'unread_updated', room_id: roomId, unread_count: 1, last_read_seq: 2 }]);
    const [heard] = (await channels.onRoom(roomId)).filter(({ header }) => header.seq === 0);
    assert.deepEqual([heard?.header, heard?.frames], [{ v: 1, seq: 0, n: 1, from: 'core-test', except_user: 13 }, [frame]]);

    await channels.clear();
    assert.deepEqual((await read(13, roomId, { seq: 1 })).body, { room_id: roomId, last_read_seq: 2, unread_count: 1 });
    assert.deepEqual(await channels.toUser(13), []);
    assert.deepEqual((await read(13, roomId)).body, { room_id: roomId, last_read_seq: 3, unread_count: 0 });
    assert.equal((await roomOf(13, roomId)).unread_count, 0);
    assert.equal((await roomOf(12, roomId)).unread_count, 3);
  });
  test('is refused with a wrong body and to strangers', async () => {
    const roomId = await direct(12, 14);
    assert.equal((await read(12, roomId, { seq: -1 })).status, 400);
    assert.equal((await read(12, roomId, { upto: 1 })).status, 400);
    assert.equal((await read(15, roomId)).body.code, 'not_a_member');
  });
  test('makes no receipts in a large room', async () => {
    const users = Array.from({ length: 60 }, (_, index) => index + 40);
    const { body: room } = await call(39, 'POST', '/api/rooms', { room_type: 'group', name: 'large', member_ids: [] });
    await stack.mysql.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [
      users.map((userId) => [toBinary(room.id), userId, 'member', 'active', new Date()]),
    ]);
    await say(39, room.id, { content: 'hello all' });
    await channels.clear();
    assert.equal((await read(40, room.id)).status, 200);
    assert.equal((await channels.toUser(40)).length, 2);
    assert.deepEqual(
      (await channels.onRoom(room.id)).filter(({ header }) => header.seq === 0),
      [],
    );
  });
});

// A room by itself: look at it, rename, delete, hide; the events of users; tickets; the search for users.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createRedis } from '@parley/kit/redis';
import { takeTicket } from '@parley/live';
import { toBinary } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { Channels } from './channels.ts';
import { DISABLED_USER, log, startCoreStack, type CoreStack, type Reply } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

let stack: CoreStack;
let channels: Channels;
before(async () => {
  stack = await startCoreStack();
  channels = await new Channels(stack.servers.redis.url).start();
});
after(async () => {
  channels?.stop();
  await stack?.stop();
});
beforeEach(() => channels.clear());

const call = (...args: Parameters<CoreStack['call']>): Promise<Reply> => stack.call(...args);
const refused = ({ status, body }: Reply, expected: [number, string]) => assert.deepEqual([status, body.code], expected, body.detail);
const group = async (creator: number, members: number[] = []): Promise<string> => {
  const { body } = await call(creator, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: members });
  for (const userId of members) {
    const { invitations } = (await call(userId, 'GET', '/api/invitations')).body;
    const id = invitations.find((each) => each.room_id === body.id)?.id;
    await call(userId, 'POST', `/api/invitations/${id}/accept`);
  }
  return body.id;
};
const lastEntry = async (roomId: string): Promise<unknown> => {
  const [rows] = await stack.mysql.query<RowDataPacket[]>(
    'SELECT content, metadata FROM messages WHERE room_id = ? ORDER BY seq DESC LIMIT 1',
    [toBinary(roomId)],
  );
  return [rows[0]?.['content'], JSON.parse((rows[0]?.['metadata'] as string | undefined) ?? 'null')];
};
const listed = async (userId: number, query = '') =>
  (await call(userId, 'GET', `/api/rooms${query}`)).body.rooms.map((room) => [room.id, room.is_hidden]);

describe('a room', () => {
  test('is shown to its members as in their list, and to nobody else', async () => {
    const roomId = await group(1, [2]);
    const { status, body } = await call(2, 'GET', `/api/rooms/${roomId}`);
    const inList = (await call(2, 'GET', '/api/rooms')).body.rooms.find((room) => room.id === roomId);
    assert.deepEqual([status, body], [200, inList]);
    for (const [userId, id] of [
      [3, roomId],
      [1, crypto.randomUUID()],
    ] as const)
      refused(await call(userId, 'GET', `/api/rooms/${id}`), [403, 'not_a_member']);
    assert.equal((await call(1, 'GET', '/api/rooms/nonsense')).status, 400);
  });
  test('is renamed by an admin; the same name again is no change', async () => {
    const roomId = await group(1, [2]);
    const rename = (userId: number, name: unknown) => call(userId, 'PATCH', `/api/rooms/${roomId}`, { name });
    refused(await rename(2, 'mine'), [403, 'forbidden']);
    refused(await rename(3, 'mine'), [403, 'not_a_member']);
    for (const name of ['', '  ', 'x'.repeat(121), null, 5]) refused(await rename(1, name), [400, 'invalid_request']);
    await channels.clear();
    const renamed = await rename(1, ' new name ');
    assert.deepEqual([renamed.status, renamed.body.name], [200, 'new name']);
    assert.deepEqual(await lastEntry(roomId), [
      'name 1 named the room new name',
      { event: 'room_renamed', user_id: 1, user_name: 'name 1', name: 'new name' },
    ]);
    assert.equal((await rename(1, 'new name')).status, 200);
    const heard = await channels.onRoom(roomId);
    assert.deepEqual(
      heard.map(({ header }) => [header.seq, header.sys]),
      [[2, true]],
    );
  });
  test('that is deleted is gone for everybody, with its invitations', async () => {
    const roomId = await group(1, [2]);
    const { body } = await call(1, 'POST', `/api/rooms/${roomId}/members`, { user_ids: [3] });
    refused(await call(2, 'DELETE', `/api/rooms/${roomId}`), [403, 'forbidden']);
    await channels.clear();
    assert.equal((await call(1, 'DELETE', `/api/rooms/${roomId}`)).status, 204);
    for (const userId of [1, 2]) {
      refused(await call(userId, 'GET', `/api/rooms/${roomId}`), [403, 'not_a_member']);
      refused(await call(userId, 'GET', `/api/rooms/${roomId}/messages`), [403, 'not_a_member']);
      refused(await call(userId, 'GET', `/api/rooms/${roomId}/members`), [403, 'not_a_member']);
      refused(await call(userId, 'POST', `/api/rooms/${roomId}/messages`, { content: 'x' }), [403, 'not_a_member']);
      refused(await call(userId, 'DELETE', `/api/rooms/${roomId}`), [403, 'not_a_member']);
    }
    refused(await call(3, 'POST', `/api/invitations/${body.invitations[0]?.id}/accept`), [409, 'invitation_answered']);
    const [heard] = await channels.onRoom(roomId);
    assert.deepEqual((heard?.frames[0]?.['metadata'] as { event?: string }).event, 'room_deleted');
    assert.deepEqual(
      (await channels.toUser(3)).map((frame) => [frame['type'], frame['state']]),
      [['invitation_updated', 'cancelled']],
    );
  });
  test('for two cannot be renamed or deleted', async () => {
    const { body: room } = await call(4, 'POST', '/api/rooms/direct', { other_user_id: 5 });
    refused(await call(4, 'PATCH', `/api/rooms/${room.id}`, { name: 'x' }), [409, 'conflict']);
    refused(await call(4, 'DELETE', `/api/rooms/${room.id}`), [409, 'conflict']);
  });
});

describe('hiding', () => {
  test('takes a room off one member’s list until it is shown again, and twice is once', async () => {
    const roomId = await group(10, [11]);
    for (let twice = 0; twice < 2; twice++) assert.equal((await call(10, 'POST', `/api/rooms/${roomId}/hide`)).status, 204);
    assert.deepEqual(
      [await listed(10), await listed(10, '?include_hidden=true'), await listed(11)],
      [[], [[roomId, true]], [[roomId, false]]],
    );
    const [rows] = await stack.mysql.query<RowDataPacket[]>('SELECT hidden_count FROM rooms WHERE id = ?', [toBinary(roomId)]);
    assert.equal(rows[0]?.['hidden_count'], 1);
    for (let twice = 0; twice < 2; twice++) assert.equal((await call(10, 'POST', `/api/rooms/${roomId}/unhide`)).status, 204);
    assert.deepEqual(await listed(10), [[roomId, false]]);
    refused(await call(12, 'POST', `/api/rooms/${roomId}/hide`), [403, 'not_a_member']);
    assert.equal((await call(10, 'GET', '/api/rooms?include_hidden=perhaps')).status, 400);
  });
  test('ends when the conversation is opened again', async () => {
    const open = () => call(13, 'POST', '/api/rooms/direct', { other_user_id: 14 });
    const { body: room } = await open();
    await call(13, 'POST', `/api/rooms/${room.id}/hide`);
    const again = await open();
    assert.deepEqual([again.status, again.body.id, again.body.is_hidden], [200, room.id, false]);
    assert.deepEqual(await listed(13), [[room.id, false]]);
  });
});

describe('a new room', () => {
  test('for two is told to the devices of both, once; an existing one to nobody', async () => {
    const open = () => call(20, 'POST', '/api/rooms/direct', { other_user_id: 21 });
    const { status, body: room } = await open();
    assert.equal(status, 201);
    const frame = { type: 'room_created', room_id: room.id, room_name: null, room_type: 'direct', created_by: 20 };
    assert.deepEqual([await channels.toUser(20), await channels.toUser(21)], [[frame], [frame]]);
    assert.equal((await open()).status, 200);
    assert.equal((await channels.toUser(21)).length, 1);
    refused(await call(20, 'POST', '/api/rooms/direct', { other_user_id: 20 }), [400, 'invalid_request']);
    refused(await call(20, 'POST', '/api/rooms/direct', { other_user_id: 9999 }), [404, 'user_not_found']);
  });
  test('of a group is told to the creator’s devices, and invitations to those invited', async () => {
    const { body: room } = await call(22, 'POST', '/api/rooms', { room_type: 'group', name: 'new', member_ids: [23, 24] });
    assert.deepEqual(
      (await channels.toUser(22)).map((frame) => [frame['type'], frame['room_id'], frame['room_type']]),
      [['room_created', room.id, 'group']],
    );
    for (const userId of [23, 24])
      assert.deepEqual(
        (await channels.toUser(userId)).map((frame) => [frame['type'], frame['room_id'], frame['invited_by_name']]),
        [['invitation_received', room.id, 'name 22']],
      );
  });
});

test('a ticket stands for its user once', async () => {
  const { status, body, headers } = await call(30, 'POST', '/api/ws-ticket');
  assert.deepEqual([status, body.expires_in, headers.get('cache-control')], [201, 30, 'no-store']);
  assert.match(body.ticket, /^[A-Za-z0-9_-]{43}$/);
  const redis = createRedis(stack.servers.redis.url, 'test', log);
  await eventually('redis client is connected', () => redis.status === 'ready');
  const ttl = await redis.ttl(`ticket:${body.ticket}`);
  assert.ok(ttl > 25 && ttl <= 30, `ttl ${ttl}`);
  const identity = await takeTicket(redis, body.ticket);
  assert.deepEqual([identity?.userId, identity?.name], [30, 'name 30']);
  assert.equal(await takeTicket(redis, body.ticket), undefined);
  redis.disconnect();
  assert.equal((await call(undefined, 'POST', '/api/ws-ticket')).status, 401);
});

describe('the search for users', () => {
  test('pages through all who are not disabled, without their addresses', async () => {
    const ids: number[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: Reply = await call(1, 'GET', `/api/v1/users?limit=50${cursor ? `&cursor=${cursor}` : ''}`);
      ids.push(...body.users.map((user) => user.id));
      for (const user of body.users) assert.deepEqual(Object.keys(user).sort(), ['id', 'name']);
      cursor = body.next_cursor;
    }
    assert.deepEqual(
      ids,
      Array.from({ length: DISABLED_USER - 1 }, (_, index) => index + 1),
    );
  });
  test('finds a part of a name in any case, and takes patterns as text', async () => {
    const found = async (query: string) =>
      (await call(1, 'GET', `/api/v1/users?query=${encodeURIComponent(query)}`)).body.users.map((user) => user.id);
    assert.deepEqual(await found('AME 11'), [11, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119]);
    for (const query of ['%', '_', '\\', "'", 'nobody']) assert.deepEqual(await found(query), [], query);
    assert.equal((await found('  ')).length, 50);
    assert.equal((await call(1, 'GET', '/api/v1/users?cursor=0')).status, 400);
  });
});

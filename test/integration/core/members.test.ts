// Members of a group: invite, join, role, remove, leave; what holds afterwards, what the log says and who hears of it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { toBinary } from '@parley/chat-store';
import { InvitationAnswered, InvitationCreated, MemberJoined, MemberLeft, MemberRemoved, RoomChanged, RoomCreated } from '@parley/protocol';
import { Type, type TUnion } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { RowDataPacket } from 'mysql2';
import { Channels } from './channels.ts';
import { DISABLED_USER, startCoreStack, type CoreStack, type Reply } from './core-stack.ts';

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
const rowsOf = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await stack.mysql.query<RowDataPacket[]>(sql, values))[0];
const refused = ({ status, body }: Reply, expected: [number, string]) => assert.deepEqual([status, body.code], expected, body.detail);

const members = (roomId: string) => `/api/rooms/${roomId}/members`;
const invite = (admin: number, roomId: string, userIds: number[]) => call(admin, 'POST', members(roomId), { user_ids: userIds });
const setRole = (actor: number, roomId: string, userId: number, role: string) =>
  call(actor, 'PATCH', `${members(roomId)}/${userId}`, { role });
const remove = (actor: number, roomId: string, userId: number) => call(actor, 'DELETE', `${members(roomId)}/${userId}`);
const leave = (actor: number, roomId: string) => call(actor, 'POST', `/api/rooms/${roomId}/leave`);
const accept = async (userId: number, roomId: string): Promise<Reply> => {
  const { body } = await call(userId, 'GET', '/api/invitations');
  const id = body.invitations.find((invitation) => invitation.room_id === roomId)?.id ?? 'none';
  return call(userId, 'POST', `/api/invitations/${id}/accept`);
};
const rolesOf = async (roomId: string) =>
  (await rowsOf("SELECT user_id, role FROM room_members WHERE room_id = ? AND state = 'active' ORDER BY user_id", [toBinary(roomId)])).map(
    (row) => `${String(row['user_id'])}:${String(row['role'])}`,
  );
const schemas: TUnion = Type.Union([
  RoomCreated,
  InvitationCreated,
  InvitationAnswered,
  MemberJoined,
  MemberLeft,
  MemberRemoved,
  RoomChanged,
]);
const eventsOf = async (roomId: string) => {
  const rows = await rowsOf("SELECT payload FROM outbox WHERE event_key = ? AND topic = 'chat.rooms' ORDER BY id", [roomId]);
  return rows.map((row) => {
    const event = JSON.parse(row['payload'] as string) as { type: string };
    assert.ok(Value.Check(schemas, event), JSON.stringify(event));
    return event.type;
  });
};
const lastEntry = async (roomId: string) => {
  const [row] = await rowsOf('SELECT kind, content, metadata FROM messages WHERE room_id = ? ORDER BY seq DESC LIMIT 1', [
    toBinary(roomId),
  ]);
  return { kind: row?.['kind'], content: row?.['content'], event: JSON.parse(row?.['metadata'] as string) as Record<string, unknown> };
};
const versionOf = async (roomId: string) =>
  (await rowsOf('SELECT member_version FROM rooms WHERE id = ?', [toBinary(roomId)]))[0]?.['member_version'] as number;

/** A group of `admin` with these members. */
async function group(admin: number, userIds: number[] = []): Promise<string> {
  const { body } = await call(admin, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: userIds });
  for (const userId of userIds) assert.equal((await accept(userId, body.id)).status, 200);
  return body.id;
}

describe('the list of members', () => {
  test('pages in the order of ids with names and roles', async () => {
    const roomId = await group(3, [1, 2, 4, 5]);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const reply = await call(4, 'GET', `${members(roomId)}?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      const page = reply.body.members as unknown as { user_id: number; name: string; role: string }[];
      seen.push(...page.map((member) => `${member.user_id} ${member.name} ${member.role}`));
      cursor = reply.body.next_cursor;
    }
    assert.deepEqual(seen, ['1 name 1 member', '2 name 2 member', '3 name 3 admin', '4 name 4 member', '5 name 5 member']);
    assert.equal((await call(4, 'GET', `${members(roomId)}?cursor=x`)).status, 400);
  });
  test('is refused to strangers, former members and for unknown rooms', async () => {
    const roomId = await group(1, [2]);
    await leave(2, roomId);
    for (const [userId, id] of [
      [3, roomId],
      [2, roomId],
      [1, crypto.randomUUID()],
    ] as const)
      refused(await call(userId, 'GET', members(id)), [403, 'not_a_member']);
  });
});

describe('an invitation by an admin', () => {
  test('reaches the user once on the own channel, and waits for an answer', async () => {
    const roomId = await group(1);
    const { status, body } = await invite(1, roomId, [6, 7]);
    assert.equal(status, 201);
    assert.deepEqual(
      body.invitations.map(({ user_id, invited_by, state, room_name }) => [user_id, invited_by, state, room_name]),
      [
        [6, 1, 'pending', 'club'],
        [7, 1, 'pending', 'club'],
      ],
    );
    assert.deepEqual(await channels.toUser(6), [
      {
        type: 'invitation_received',
        invitation_id: body.invitations[0]?.id,
        room_id: roomId,
        room_name: 'club',
        invited_by: 1,
        invited_by_name: 'name 1',
      },
    ]);
    const again = await invite(1, roomId, [6]);
    assert.deepEqual([again.status, again.body.invitations[0]?.id], [200, body.invitations[0]?.id]);
    assert.equal((await channels.toUser(6)).length, 1);
    assert.equal((await eventsOf(roomId)).filter((type) => type === 'chat.invitation.created').length, 2);
  });
  test('is refused to others, for members, for unknown and disabled users', async () => {
    const roomId = await group(1, [2]);
    refused(await invite(2, roomId, [3]), [403, 'forbidden']);
    refused(await invite(3, roomId, [4]), [403, 'not_a_member']);
    refused(await invite(1, roomId, [2, 3]), [409, 'conflict']);
    refused(await invite(1, roomId, [9999]), [404, 'user_not_found']);
    refused(await invite(1, roomId, [DISABLED_USER]), [404, 'user_not_found']);
    refused(await invite(1, roomId, []), [400, 'invalid_request']);
    assert.deepEqual((await call(3, 'GET', '/api/invitations')).body.invitations, []);
  });
  test('is possible again after a decline, a leave and a removal', async () => {
    const roomId = await group(1, [8]);
    await leave(8, roomId);
    assert.equal((await invite(1, roomId, [8])).status, 201);
    assert.equal((await accept(8, roomId)).status, 200);
    await remove(1, roomId, 8);
    assert.equal((await invite(1, roomId, [8])).status, 201);
    const waiting = (await call(8, 'GET', '/api/invitations')).body.invitations.find((each) => each.room_id === roomId);
    assert.equal((await call(8, 'POST', `/api/invitations/${waiting?.id}/decline`)).status, 200);
    assert.equal((await invite(1, roomId, [8])).status, 201);
    assert.equal((await accept(8, roomId)).status, 200);
    assert.deepEqual(await rolesOf(roomId), ['1:admin', '8:member']);
  });
  test('is told answered to the invited user’s devices and to the inviter, once each', async () => {
    const roomId = await group(1);
    const { body } = await invite(1, roomId, [9]);
    // What the invitation itself told has to be here before it can be cleared away.
    await channels.toUser(9);
    await channels.clear();
    assert.equal((await accept(9, roomId)).status, 200);
    const updated = { type: 'invitation_updated', invitation_id: body.invitations[0]?.id, room_id: roomId, user_id: 9, state: 'accepted' };
    assert.deepEqual(await channels.toUser(9), [updated]);
    assert.deepEqual(await channels.toUser(1), [updated]);
  });
  test('can be taken back by who made it, and by nobody else', async () => {
    const roomId = await group(1, [2]);
    const { body } = await invite(1, roomId, [10]);
    const id = body.invitations[0]?.id ?? '';
    for (const userId of [2, 10]) refused(await call(userId, 'DELETE', `/api/invitations/${id}`), [404, 'invitation_not_found']);
    await channels.toUser(10);
    await channels.clear();
    assert.equal((await call(1, 'DELETE', `/api/invitations/${id}`)).status, 204);
    refused(await call(1, 'DELETE', `/api/invitations/${id}`), [409, 'invitation_answered']);
    refused(await call(10, 'POST', `/api/invitations/${id}/accept`), [409, 'invitation_answered']);
    assert.deepEqual(
      (await channels.toUser(10)).map((frame) => [frame['type'], frame['state']]),
      [['invitation_updated', 'cancelled']],
    );
    assert.equal((await eventsOf(roomId)).at(-1), 'chat.invitation.answered');
    assert.equal((await invite(1, roomId, [10])).status, 201);
  });
});

describe('leaving', () => {
  test('ends reading, writing and joining at once, and is an entry, an event and an announcement', async () => {
    const roomId = await group(1, [2, 3]);
    const version = await versionOf(roomId);
    await channels.clear();
    assert.equal((await leave(2, roomId)).status, 204);
    refused(await call(2, 'GET', `/api/rooms/${roomId}`), [403, 'not_a_member']);
    refused(await call(2, 'GET', `/api/rooms/${roomId}/messages`), [403, 'not_a_member']);
    refused(await call(2, 'POST', `/api/rooms/${roomId}/messages`, { content: 'x' }), [403, 'not_a_member']);
    refused(await call(2, 'POST', `/api/rooms/${roomId}/mark-read`), [403, 'not_a_member']);
    refused(await call(2, 'POST', `/api/rooms/${roomId}/hide`), [403, 'not_a_member']);
    refused(await leave(2, roomId), [403, 'not_a_member']);
    assert.ok(!(await call(2, 'GET', '/api/rooms')).body.rooms.some((room) => room.id === roomId));

    const entry = { kind: 'system', content: 'name 2 left', event: { event: 'member_left', user_id: 2, user_name: 'name 2' } };
    assert.deepEqual(await lastEntry(roomId), entry);
    assert.equal((await eventsOf(roomId)).at(-1), 'chat.member.left');
    assert.equal(await versionOf(roomId), version + 1);
    const [heard, ...more] = await channels.onRoom(roomId);
    assert.deepEqual([heard?.header.sys, heard?.frames[0]?.['content'], more.length], [true, 'name 2 left', 0]);
  });
  test('is refused to the last admin until the role is passed on', async () => {
    const roomId = await group(1, [2, 3]);
    refused(await leave(1, roomId), [409, 'conflict']);
    refused(await setRole(1, roomId, 1, 'member'), [409, 'conflict']);
    assert.equal((await setRole(1, roomId, 2, 'admin')).status, 200);
    assert.equal((await leave(1, roomId)).status, 204);
    assert.deepEqual(await rolesOf(roomId), ['2:admin', '3:member']);
  });
  test('of the last member ends the room and its invitations', async () => {
    const roomId = await group(1);
    const { body } = await invite(1, roomId, [11]);
    await channels.clear();
    assert.equal((await leave(1, roomId)).status, 204);
    assert.deepEqual(
      (await channels.toUser(11)).map((frame) => frame['state']),
      ['cancelled'],
    );
    refused(await call(11, 'POST', `/api/invitations/${body.invitations[0]?.id}/accept`), [409, 'invitation_answered']);
    assert.deepEqual((await eventsOf(roomId)).slice(-3), ['chat.member.left', 'chat.invitation.answered', 'chat.room.changed']);
  });
  test('is not possible in a direct room', async () => {
    const { body: room } = await call(12, 'POST', '/api/rooms/direct', { other_user_id: 13 });
    refused(await leave(12, room.id), [409, 'conflict']);
    refused(await invite(12, room.id, [14]), [409, 'conflict']);
    refused(await remove(12, room.id, 13), [409, 'conflict']);
    refused(await setRole(12, room.id, 13, 'admin'), [409, 'conflict']);
  });
});

describe('removing', () => {
  test('is for admins, of members, and ends the membership at once', async () => {
    const roomId = await group(1, [2, 3]);
    refused(await remove(2, roomId, 3), [403, 'forbidden']);
    refused(await remove(4, roomId, 3), [403, 'not_a_member']);
    refused(await remove(1, roomId, 4), [404, 'user_not_found']);
    assert.equal((await remove(1, roomId, 3)).status, 204);
    refused(await call(3, 'GET', `/api/rooms/${roomId}/messages`), [403, 'not_a_member']);
    assert.deepEqual(await lastEntry(roomId), {
      kind: 'system',
      content: 'name 1 removed name 3',
      event: { event: 'member_removed', user_id: 3, user_name: 'name 3', by: 1 },
    });
    assert.equal((await eventsOf(roomId)).at(-1), 'chat.member.removed');
  });
  test('oneself is leaving', async () => {
    const roomId = await group(1, [2]);
    assert.equal((await remove(2, roomId, 2)).status, 204);
    assert.equal((await lastEntry(roomId)).content, 'name 2 left');
    assert.equal((await eventsOf(roomId)).at(-1), 'chat.member.left');
  });
});

describe('a role', () => {
  test('is given and taken by admins; the same one again changes nothing', async () => {
    const roomId = await group(1, [2, 3]);
    refused(await setRole(2, roomId, 2, 'admin'), [403, 'forbidden']);
    refused(await setRole(1, roomId, 4, 'admin'), [404, 'user_not_found']);
    refused(await setRole(1, roomId, 2, 'owner'), [400, 'invalid_request']);
    const given = await setRole(1, roomId, 2, 'admin');
    assert.deepEqual([given.status, given.body], [200, { user_id: 2, name: 'name 2', role: 'admin' }]);
    const entry = await lastEntry(roomId);
    assert.deepEqual(
      [entry.content, entry.event],
      ['name 1 made name 2 an admin', { event: 'member_role', user_id: 2, user_name: 'name 2', by: 1, role: 'admin' }],
    );
    const before = await versionOf(roomId);
    assert.equal((await setRole(1, roomId, 2, 'admin')).status, 200);
    assert.equal(await versionOf(roomId), before);
    assert.equal((await setRole(2, roomId, 1, 'member')).status, 200);
    assert.deepEqual(await rolesOf(roomId), ['1:member', '2:admin', '3:member']);
    assert.equal((await eventsOf(roomId)).at(-1), 'chat.room.changed');
  });
});

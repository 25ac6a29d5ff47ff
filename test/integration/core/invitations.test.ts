// Invitations: one answer, one membership, one log entry, one announcement.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { toBinary } from '@parley/chat-store';
import { createSubscriber } from '@parley/kit/redis';
import { decodeFanout, roomChannel } from '@parley/live';
import type { RowDataPacket } from 'mysql2';
import { log, startCoreStack, type CoreStack } from './core-stack.ts';

let stack: CoreStack;
before(async () => {
  stack = await startCoreStack();
});
after(() => stack.stop());

const rowsOf = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await stack.mysql.query<RowDataPacket[]>(sql, values))[0];

/** A group of user 1 to which `userId` is invited. */
async function invite(userId: number): Promise<{ roomId: string; invitationId: string }> {
  const room = await stack.call(1, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: [userId] });
  const list = await stack.call(userId, 'GET', '/api/invitations');
  const invitation = list.body.invitations.find((each) => each.room_id === room.body.id);
  assert.ok(invitation);
  return { roomId: room.body.id, invitationId: invitation.id };
}
const answer = (userId: number, id: string, verb: string) => stack.call(userId, 'POST', `/api/invitations/${id}/${verb}`);
const logOf = (roomId: string) =>
  rowsOf('SELECT seq, kind, sender_name, content, metadata FROM messages WHERE room_id = ? ORDER BY seq', [toBinary(roomId)]);
const eventsOf = async (roomId: string) =>
  (await rowsOf('SELECT topic, payload FROM outbox WHERE event_key = ? ORDER BY id', [roomId])).map(
    (row) => (JSON.parse(row['payload'] as string) as { type?: string }).type ?? row['topic'],
  );

describe('accepting', () => {
  test('makes a member, writes the entry and the events, and tells the replicas', async () => {
    const { roomId, invitationId } = await invite(2);
    const subscriber = createSubscriber(stack.servers.redis.url, 'test', log);
    await subscriber.subscribe(roomChannel(roomId));
    const heard = new Promise<Buffer>((resolve) => subscriber.once('messageBuffer', (_channel, payload) => resolve(payload)));
    const { status, body } = await answer(2, invitationId, 'accept');
    assert.deepEqual([status, body.state, body.room_id, body.room_name], [200, 'accepted', roomId, 'club']);

    const payload = decodeFanout(await heard);
    subscriber.disconnect();
    assert.deepEqual(payload?.header, { v: 1, seq: 1, n: 1, from: 'core-test', sys: true });
    const frame = JSON.parse(payload?.frames[0]?.toString() ?? '') as Record<string, unknown>;
    assert.deepEqual([frame['type'], frame['kind'], frame['seq'], frame['content']], ['message', 'system', 1, 'name 2 joined']);

    assert.deepEqual(
      (await logOf(roomId)).map((row) => [row['seq'], row['kind'], row['content']]),
      [[1, 'system', 'name 2 joined']],
    );
    assert.deepEqual(await eventsOf(roomId), [
      'chat.room.created',
      'chat.invitation.created',
      'chat.messages',
      'chat.invitation.answered',
      'chat.member.joined',
    ]);
    const [room] = await rowsOf('SELECT last_seq, message_count, member_version FROM rooms WHERE id = ?', [toBinary(roomId)]);
    assert.deepEqual({ ...room }, { last_seq: 1, message_count: 0, member_version: 2 });
    const listed = (await stack.call(2, 'GET', '/api/rooms')).body.rooms.find((each) => each.id === roomId);
    assert.deepEqual(
      listed?.members.map((member) => [member.user_id, member.role]),
      [
        [1, 'admin'],
        [2, 'member'],
      ],
    );
    assert.equal(listed?.unread_count, 0);
    assert.deepEqual((await stack.call(2, 'GET', '/api/invitations')).body.invitations, []);
    assert.equal((await stack.call(2, 'GET', `/api/rooms/${roomId}/messages`)).status, 200);
  });

  test('happens once when two, or ten, answers come at once', async () => {
    const { roomId, invitationId } = await invite(3);
    const verbs = ['accept', 'accept', 'decline', 'accept', 'accept', 'accept', 'accept', 'accept', 'accept', 'accept'];
    const replies = await Promise.all(verbs.map((verb) => answer(3, invitationId, verb)));
    const statuses = replies.map((reply) => reply.status).sort();
    assert.deepEqual(statuses, [200, ...Array.from({ length: 9 }, () => 409)]);
    for (const reply of replies) if (reply.status === 409) assert.equal(reply.body.code, 'invitation_answered');
    const accepted = replies.find((reply) => reply.status === 200)?.body.state === 'accepted' ? 1 : 0;
    assert.equal((await logOf(roomId)).length, accepted);
  });

  test('brings back a member who had left, with nothing unread', async () => {
    const { roomId, invitationId } = await invite(4);
    await stack.mysql.query(
      "INSERT INTO room_members (room_id, user_id, role, state, joined_at, left_at) VALUES (?, 4, 'admin', 'left', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
      [toBinary(roomId)],
    );
    await stack.mysql.query('UPDATE rooms SET last_seq = 7, message_count = 7 WHERE id = ?', [toBinary(roomId)]);
    assert.equal((await answer(4, invitationId, 'accept')).status, 200);
    const [member] = await rowsOf(
      'SELECT role, state, left_at, joined_seq, last_read_count FROM room_members WHERE room_id = ? AND user_id = 4',
      [toBinary(roomId)],
    );
    assert.deepEqual({ ...member }, { role: 'member', state: 'active', left_at: null, joined_seq: 7, last_read_count: 7 });
  });

  test('keeps many joins of one room in one dense order', async () => {
    const users = Array.from({ length: 12 }, (_, index) => 20 + index);
    const room = await stack.call(1, 'POST', '/api/rooms', { room_type: 'group', name: 'crowd', member_ids: users });
    const replies = await Promise.all(
      users.map(async (user) => {
        const { body } = await stack.call(user, 'GET', '/api/invitations');
        return answer(user, body.invitations[0]?.id ?? '', 'accept');
      }),
    );
    assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
    assert.deepEqual(
      (await logOf(room.body.id)).map((row) => row['seq']),
      users.map((_, index) => index + 1),
    );
    const ranges = await rowsOf("SELECT payload FROM outbox WHERE event_key = ? AND topic = 'chat.messages' ORDER BY id", [room.body.id]);
    assert.deepEqual(
      ranges.map((row) => (JSON.parse(row['payload'] as string) as { from_seq: number }).from_seq),
      users.map((_, index) => index + 1),
    );
  });
});

describe('an answer', () => {
  test('is refused for somebody else’s, an unknown and a malformed id alike', async () => {
    const { invitationId } = await invite(5);
    for (const id of [invitationId, crypto.randomUUID(), 'x']) {
      const reply = await answer(6, id, 'accept');
      assert.deepEqual([reply.status, reply.body.code], [404, 'invitation_not_found'], id);
    }
    assert.equal((await answer(5, invitationId, 'decline')).body.state, 'declined');
    assert.equal((await answer(5, invitationId, 'accept')).status, 409);
  });
  test('that declines makes no member and no entry', async () => {
    const { roomId, invitationId } = await invite(7);
    assert.equal((await answer(7, invitationId, 'decline')).status, 200);
    assert.deepEqual(await logOf(roomId), []);
    assert.equal((await stack.call(7, 'GET', `/api/rooms/${roomId}/messages`)).status, 403);
    assert.equal((await eventsOf(roomId)).at(-1), 'chat.invitation.answered');
  });
});

test('the list of invitations pages without skipping or repeating', async () => {
  for (let index = 0; index < 7; index++) await invite(8);
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await stack.call(8, 'GET', `/api/invitations?limit=3${cursor ? `&cursor=${cursor}` : ''}`);
    seen.push(...body.invitations.map((each) => each.id));
    cursor = body.next_cursor;
  }
  assert.equal(seen.length, 7);
  assert.deepEqual(seen, [...new Set(seen)].sort().reverse());
});

// Changes of members that come at the same time: one order, no state that no order explains.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { toBinary } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';
import { startCoreStack, type CoreStack, type Reply } from './core-stack.ts';

let stack: CoreStack;
before(async () => {
  stack = await startCoreStack();
});
after(() => stack?.stop());

const call = (...args: Parameters<CoreStack['call']>): Promise<Reply> => stack.call(...args);
const rowsOf = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await stack.mysql.query<RowDataPacket[]>(sql, values))[0];
const leave = (userId: number, roomId: string) => call(userId, 'POST', `/api/rooms/${roomId}/leave`);
const invite = (admin: number, roomId: string, userIds: number[]) =>
  call(admin, 'POST', `/api/rooms/${roomId}/members`, { user_ids: userIds });
const statuses = (replies: Reply[]) => replies.map((reply) => reply.status).sort();
const activeIn = async (roomId: string) =>
  (await rowsOf("SELECT user_id, role FROM room_members WHERE room_id = ? AND state = 'active' ORDER BY user_id", [toBinary(roomId)])).map(
    (row) => `${String(row['user_id'])}:${String(row['role'])}`,
  );

async function invitationOf(userId: number, roomId: string): Promise<string> {
  const { body } = await call(userId, 'GET', '/api/invitations');
  return body.invitations.find((each) => each.room_id === roomId)?.id ?? 'none';
}

/** A group of these admins and members, the first admin its creator. */
async function group(admins: number[], members: number[] = []): Promise<string> {
  const [creator = 0, ...others] = admins;
  const { body } = await call(creator, 'POST', '/api/rooms', { room_type: 'group', name: 'club', member_ids: [...others, ...members] });
  for (const userId of [...others, ...members])
    await call(userId, 'POST', `/api/invitations/${await invitationOf(userId, body.id)}/accept`);
  for (const userId of others) await call(creator, 'PATCH', `/api/rooms/${body.id}/members/${userId}`, { role: 'admin' });
  return body.id;
}

/** The log is dense, and the version has grown once for each entry that tells of members since the creation. */
async function assertOneOrder(roomId: string): Promise<void> {
  const entries = await rowsOf('SELECT seq, metadata FROM messages WHERE room_id = ? ORDER BY seq', [toBinary(roomId)]);
  assert.deepEqual(
    entries.map((row) => row['seq']),
    entries.map((_, index) => index + 1),
  );
  const changes = entries.filter((row) => /"event":"(member_|room_deleted)/.test((row['metadata'] as string | null) ?? '')).length;
  const [room] = await rowsOf('SELECT last_seq, member_version FROM rooms WHERE id = ?', [toBinary(roomId)]);
  assert.deepEqual({ ...room }, { last_seq: entries.length, member_version: changes + 1 });
}

describe('at the same time', () => {
  test('two admins leave: one of them stays as long as others are there', async () => {
    for (let round = 0; round < 5; round++) {
      const roomId = await group([1, 2], [3]);
      const replies = await Promise.all([leave(1, roomId), leave(2, roomId)]);
      assert.deepEqual(statuses(replies), [204, 409]);
      assert.equal((await activeIn(roomId)).filter((each) => each.endsWith(':admin')).length, 1);
      await assertOneOrder(roomId);
    }
  });
  test('two admins take the role from each other: one keeps it', async () => {
    for (let round = 0; round < 5; round++) {
      const roomId = await group([1, 2]);
      const take = (actor: number, from: number) => call(actor, 'PATCH', `/api/rooms/${roomId}/members/${from}`, { role: 'member' });
      assert.deepEqual(statuses(await Promise.all([take(1, 2), take(2, 1)])), [200, 403]);
      assert.equal((await activeIn(roomId)).filter((each) => each.endsWith(':admin')).length, 1);
    }
  });
  test('an admin removes another who removes the first: one is left', async () => {
    const roomId = await group([1, 2], [3]);
    const remove = (actor: number, target: number) => call(actor, 'DELETE', `/api/rooms/${roomId}/members/${target}`);
    assert.deepEqual(statuses(await Promise.all([remove(1, 2), remove(2, 1)])), [204, 403]);
    assert.equal((await activeIn(roomId)).length, 2);
  });
  test('a user is invited ten times: one invitation', async () => {
    const roomId = await group([1]);
    const replies = await Promise.all(Array.from({ length: 10 }, () => invite(1, roomId, [5])));
    assert.deepEqual(statuses(replies), [...Array.from({ length: 9 }, () => 200), 201]);
    assert.equal(new Set(replies.map((reply) => reply.body.invitations[0]?.id)).size, 1);
  });
  test('an admin leaves and invites: the invitation is refused or belongs to a living room', async () => {
    for (let round = 0; round < 5; round++) {
      const roomId = await group([1]);
      const [left, invited] = await Promise.all([leave(1, roomId), invite(1, roomId, [6])]);
      assert.equal(left.status, 204);
      assert.ok(invited.status === 201 || invited.body.code === 'not_a_member', JSON.stringify(invited.body));
      // The room has ended: nobody can come in any more.
      assert.equal(await invitationOf(6, roomId), 'none');
      assert.deepEqual(await activeIn(roomId), []);
    }
  });
  test('an invitation is accepted, declined and taken back: one of these', async () => {
    for (let round = 0; round < 5; round++) {
      const roomId = await group([1]);
      const id = (await invite(1, roomId, [7])).body.invitations[0]?.id ?? '';
      const replies = await Promise.all([
        call(7, 'POST', `/api/invitations/${id}/accept`),
        call(7, 'POST', `/api/invitations/${id}/decline`),
        call(1, 'DELETE', `/api/invitations/${id}`),
        call(7, 'POST', `/api/invitations/${id}/accept`),
      ]);
      assert.equal(replies.filter((reply) => reply.status < 300).length, 1, JSON.stringify(statuses(replies)));
      const [row] = await rowsOf('SELECT state, pending FROM invitations WHERE id = ?', [toBinary(id)]);
      assert.equal(row?.['pending'], null);
      assert.equal((await activeIn(roomId)).includes('7:member'), row?.['state'] === 'accepted');
      await assertOneOrder(roomId);
    }
  });
  test('a room is deleted and an invitation accepted: no member of a deleted room is added later', async () => {
    for (let round = 0; round < 5; round++) {
      const roomId = await group([1]);
      const id = (await invite(1, roomId, [8])).body.invitations[0]?.id ?? '';
      const [deleted, accepted] = await Promise.all([
        call(1, 'DELETE', `/api/rooms/${roomId}`),
        call(8, 'POST', `/api/invitations/${id}/accept`),
      ]);
      assert.equal(deleted.status, 204);
      assert.ok([200, 404, 409].includes(accepted.status));
      assert.equal((await call(8, 'GET', `/api/rooms/${roomId}`)).status, 403);
      await assertOneOrder(roomId);
    }
  });
  test('everybody hides, leaves, comes back, writes and reads: the counters are what the rows say', async () => {
    const users = [11, 12, 13, 14, 15, 16];
    const roomId = await group([10], users);
    const at = (path: string) => `/api/rooms/${roomId}/${path}`;
    await Promise.all(
      users.map(async (userId, index) => {
        for (let round = 0; round < 6; round++) {
          await call(userId, 'POST', at('hide'));
          if ((index + round) % 3 === 0) await call(userId, 'POST', at('messages'), { content: `m ${userId} ${round}` });
          if ((index + round) % 3 === 1) await call(userId, 'POST', at('unhide'));
          await call(userId, 'POST', at('mark-read'));
          if ((index + round) % 4 === 0) {
            await leave(userId, roomId);
            await invite(10, roomId, [userId]);
            await call(userId, 'POST', `/api/invitations/${await invitationOf(userId, roomId)}/accept`);
          }
        }
      }),
    );
    const [room] = await rowsOf('SELECT hidden_count, message_count FROM rooms WHERE id = ?', [toBinary(roomId)]);
    const [counted] = await rowsOf(
      "SELECT CAST(COALESCE(SUM(hidden_at IS NOT NULL AND state = 'active'), 0) AS SIGNED) AS hidden, CAST(COALESCE(SUM(hidden_at IS NOT NULL AND state <> 'active'), 0) AS SIGNED) AS strange FROM room_members WHERE room_id = ?",
      [toBinary(roomId)],
    );
    assert.deepEqual({ ...counted }, { hidden: room?.['hidden_count'], strange: 0 });
    const [messages] = await rowsOf("SELECT COUNT(*) AS n FROM messages WHERE room_id = ? AND kind = 'message'", [toBinary(roomId)]);
    assert.equal(messages?.['n'], room?.['message_count']);
    await assertOneOrder(roomId);
  });
});

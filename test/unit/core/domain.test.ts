// Pure decisions of core.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '@parley/kit/process';
import { postgresError } from '@parley/kit/sql';
import { mysqlError } from '@parley/chat-store';
import { decodeInvitationCursor, decodeRoomCursor, encodeRoomCursor, pageOf } from '../../../services/core/src/domain/cursor.ts';
import { refusalOf } from '../../../services/core/src/domain/invitation-answer.ts';
import { roomAnswers, type RoomView } from '../../../services/core/src/domain/room-answer.ts';
import { directKey, planRoom } from '../../../services/core/src/domain/room-plan.ts';

const id = '01890000-0000-7000-8000-000000000001';

describe('plans of rooms', () => {
  test('the key of a pair does not depend on who asks', () => {
    assert.equal(directKey(9, 10), '9:10');
    assert.equal(directKey(10, 9), '9:10');
  });
  test('a direct room needs exactly one other user', () => {
    assert.deepEqual(planRoom(1, { room_type: 'direct', member_ids: [2] }), {
      ok: true,
      plan: { type: 'direct', otherId: 2, directKey: '1:2' },
    });
    for (const member_ids of [[], [1], [2, 3]]) assert.equal(planRoom(1, { room_type: 'direct', member_ids }).ok, false);
  });
  test('a group needs a name and does not invite its creator', () => {
    assert.deepEqual(planRoom(1, { room_type: 'group', name: ' a ', member_ids: [1, 2] }), {
      ok: true,
      plan: { type: 'group', name: 'a', inviteeIds: [2] },
    });
    assert.equal(planRoom(1, { room_type: 'group', member_ids: [2] }).ok, false);
  });
});

describe('cursors', () => {
  test('come back as they went', () => {
    assert.deepEqual(decodeRoomCursor(encodeRoomCursor({ sortAtMs: 1_700_000_000_123, id })), { sortAtMs: 1_700_000_000_123, id });
    assert.deepEqual(decodeInvitationCursor(id), { id });
  });
  test('of another list or none are refused', () => {
    for (const text of ['', id, `x.${id}`, `1.${id}'`, `999999999999999.${id}`, `-1.${id}`])
      assert.equal(decodeRoomCursor(text), undefined, text);
    assert.equal(decodeInvitationCursor(`1.${id}`), undefined);
  });
  test('exist only when more follows', () => {
    assert.deepEqual(pageOf([1, 2, 3], 2), { items: [1, 2], last: 2 });
    assert.deepEqual(pageOf([1, 2], 2), { items: [1, 2], last: undefined });
    assert.deepEqual(pageOf([], 2), { items: [], last: undefined });
  });
});

test('an invitation can be answered once, by the invited user, while its room exists', () => {
  const invitation = { userId: 1, state: 'pending', roomDeleted: false };
  assert.equal(refusalOf(invitation, 1), undefined);
  assert.equal(refusalOf(invitation, 2), 'invitation_not_found');
  assert.equal(refusalOf(undefined, 1), 'invitation_not_found');
  for (const state of ['accepted', 'declined', 'withdrawn']) assert.equal(refusalOf({ ...invitation, state }, 1), 'invitation_answered');
  assert.equal(refusalOf({ ...invitation, roomDeleted: true }, 1), 'invitation_not_found');
});

test('a room shows its members by name, also one whose name is not known', () => {
  const at = new Date('2026-01-02T03:04:05.678Z');
  const view: RoomView = {
    id,
    type: 'group',
    name: 'club',
    createdBy: 1,
    createdAt: at,
    sortAt: at,
    lastSeq: 5,
    messageCount: 4,
    lastMessageAt: null,
    lastReadSeq: 2,
    lastReadCount: 1,
    hidden: false,
    lastEntry: null,
  };
  const members = [
    { roomId: id, userId: 1, role: 'admin' as const },
    { roomId: id, userId: 2, role: 'member' as const },
  ];
  const [room] = roomAnswers([view], members, new Map([[1, 'Ann']]));
  assert.deepEqual(room?.members, [
    { user_id: 1, name: 'Ann', role: 'admin' },
    { user_id: 2, name: 'user 2', role: 'member' },
  ]);
  assert.deepEqual([room?.unread_count, room?.created_at, room?.last_message_at], [3, '2026-01-02T03:04:05.678Z', null]);
});

describe('errors of drivers', () => {
  const code = (error: unknown) => (error instanceof AppError ? error.code : 'as it is');
  test('of the connection mean unavailable', () => {
    assert.equal(code(mysqlError({ code: 'ECONNREFUSED', errno: -111, fatal: true })), 'unavailable');
    assert.equal(code(mysqlError({ code: 'PROTOCOL_CONNECTION_LOST', fatal: true })), 'unavailable');
    assert.equal(code(mysqlError({ code: 'ER_CON_COUNT_ERROR', errno: 1040, sqlState: '08004' })), 'unavailable');
    assert.equal(code(postgresError({ code: 'ECONNREFUSED' })), 'unavailable');
    assert.equal(code(postgresError({ code: '57P01' })), 'unavailable');
    assert.equal(code(postgresError(new Error('timeout exceeded when trying to connect'))), 'unavailable');
  });
  test('of a statement stay what they are', () => {
    assert.equal(code(mysqlError({ code: 'ER_PARSE_ERROR', errno: 1064, sqlState: '42000' })), 'as it is');
    assert.equal(code(mysqlError(new TypeError('x is not a function'))), 'as it is');
    assert.equal(code(postgresError({ code: '42P01' })), 'as it is');
    assert.equal(code(postgresError(new TypeError('x is not a function'))), 'as it is');
  });
  test('of a transaction that kept losing mean too much to do', () => {
    assert.equal(code(mysqlError({ code: 'ER_LOCK_DEADLOCK', errno: 1213, sqlState: '40001' })), 'overloaded');
  });
});

// The texts of the writer's two round trips: what they lock, number and show again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { membershipKey, newId, planBatch, type NewMessage, type RoomState } from '@parley/chat-store';
import { lockAndReadSql, writeSql } from '../../../services/shared/chat-store/src/writer-sql.ts';

const room = newId();
const message = (over: Partial<NewMessage> = {}): NewMessage => ({
  ...{ id: newId(), roomId: room, senderId: 1, senderName: 'a', content: 'x', messageType: 'text', metadata: null, clientMsgId: undefined },
  ...over,
});
const plan = (state: Partial<RoomState>, count = 2) =>
  planBatch(
    Array.from({ length: count }, () => message()),
    {
      rooms: new Map([[room, { lastSeq: 10, messageCount: 7, memberVersion: 3, hiddenCount: 0, lastMessageAtMs: 0, ...state }]]),
      members: new Set([membershipKey(room, 1)]),
      stored: new Map(),
    },
    1000,
  );
const hex = (id: string) => id.replaceAll('-', '');

test('the rooms of a batch are locked, in the order of their ids, before anything else is read', () => {
  const [first, second] = [newId(), newId()].sort() as [string, string];
  const [begin, rooms] = lockAndReadSql([message({ roomId: second }), message({ roomId: first })], { retry: false }).split(';');
  assert.equal(begin, 'BEGIN');
  assert.ok(rooms?.includes(`IN (X'${hex(first)}',X'${hex(second)}')`), rooms);
  assert.ok(rooms?.endsWith('ORDER BY id FOR UPDATE'), rooms);
});

test('messages are counted on from those that the room has: seq counts entries, message_no messages', () => {
  const { rooms } = plan({ lastSeq: 10, messageCount: 7 });
  assert.deepEqual([rooms[0]?.fromSeq, rooms[0]?.messageCountBefore], [11, 7]);
  const sql = writeSql(rooms);
  const numbers = [...sql.matchAll(/X'\w+',(\d+),X'\w+','message',(\d+),/g)].map(([, seq, no]) => [Number(seq), Number(no)]);
  assert.deepEqual(numbers, [
    [11, 8],
    [12, 9],
  ]);
  assert.match(sql, /last_seq = CASE id WHEN X'\w+' THEN 12 END, message_count = CASE id WHEN X'\w+' THEN 9 END/);
});

test('who has hidden the room sees it again, and where nobody has, no row is touched', () => {
  const shown = writeSql(plan({ hiddenCount: 2 }).rooms);
  assert.ok(shown.includes(`UPDATE room_members SET hidden_at = NULL WHERE room_id IN (X'${hex(room)}')`), shown);
  assert.ok(shown.includes(`UPDATE rooms SET hidden_count = 0 WHERE id IN (X'${hex(room)}')`), shown);
  assert.doesNotMatch(writeSql(plan({ hiddenCount: 0 }).rooms), /room_members/);
});

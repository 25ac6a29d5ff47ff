// Read markers and memberships in batches, on a real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  chatMigrations,
  connectMysql,
  createMysqlPool,
  markRead,
  mysqlMigrations,
  newId,
  readActiveMembers,
  readMemberships,
  readRoomsOf,
  toBinary,
  type MysqlPool,
} from '@parley/chat-store';
import { createLog } from '@parley/kit/process';
import { migrate } from '@parley/kit/sql';
import type { RowDataPacket } from 'mysql2';
import { createRoom } from '../../helpers/chat-cluster.ts';
import { startServers, type Servers } from '../../helpers/servers.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });
let servers: Servers<'mysql'>;
let pool: MysqlPool;

before(async () => {
  servers = await startServers(['mysql']);
  const connection = await connectMysql(servers.mysql.url, { multipleStatements: true });
  await migrate(mysqlMigrations(connection), chatMigrations(), log);
  await connection.end();
  pool = createMysqlPool(servers.mysql.url, { max: 8 });
});
after(async () => {
  await pool?.end();
  await servers?.stop();
});

/** A room whose log is `m` (message) and `s` (system) in this order. */
async function roomWithLog(members: number[], kinds: string): Promise<string> {
  const roomId = await createRoom(pool, members);
  const id = toBinary(roomId);
  const at = new Date();
  let messages = 0;
  const rows = [...kinds].map((kind, index) => {
    if (kind === 'm') messages++;
    return [id, index + 1, toBinary(newId()), kind === 'm' ? 'message' : 'system', messages, 1, 'name', 'text', 'text', at];
  });
  const columns = 'room_id, seq, id, kind, message_no, sender_id, sender_name, content, message_type, created_at';
  if (rows.length > 0) await pool.query(`INSERT INTO messages (${columns}) VALUES ?`, [rows]);
  await pool.query('UPDATE rooms SET last_seq = ?, message_count = ? WHERE id = ?', [rows.length, messages, id]);
  return roomId;
}
const endMembership = (roomId: string, userId: number) =>
  pool.query("UPDATE room_members SET state = 'left' WHERE room_id = ? AND user_id = ?", [toBinary(roomId), userId]);
const countOf = async (roomId: string, userId: number): Promise<unknown> =>
  (
    await pool.query<RowDataPacket[]>('SELECT last_read_count FROM room_members WHERE room_id = ? AND user_id = ?', [
      toBinary(roomId),
      userId,
    ])
  )[0][0]?.['last_read_count'];

describe('a read marker', () => {
  test('moves forward, never back, never past the end, and counts messages only', async () => {
    const roomId = await roomWithLog([1, 2], 'msmms');
    const steps: [number, { lastReadSeq: number; unreadCount: number; moved: boolean }][] = [
      [2, { lastReadSeq: 2, unreadCount: 2, moved: true }],
      [1, { lastReadSeq: 2, unreadCount: 2, moved: false }],
      [2, { lastReadSeq: 2, unreadCount: 2, moved: false }],
      [3, { lastReadSeq: 3, unreadCount: 1, moved: true }],
      [Number.MAX_SAFE_INTEGER, { lastReadSeq: 5, unreadCount: 0, moved: true }],
      [0, { lastReadSeq: 5, unreadCount: 0, moved: false }],
    ];
    for (const [seq, expected] of steps)
      assert.deepEqual(await markRead(pool, [{ roomId, userId: 1, seq }]), [{ roomId, userId: 1, ...expected }], `seq ${seq}`);
    assert.deepEqual(await markRead(pool, [{ roomId, userId: 2, seq: 1 }]), [
      { roomId, userId: 2, lastReadSeq: 1, unreadCount: 2, moved: true },
    ]);
  });

  test('does nothing for strangers, in unknown and in empty rooms', async () => {
    const roomId = await roomWithLog([1, 2], 'mm');
    const empty = await roomWithLog([1], '');
    await endMembership(roomId, 2);
    const marks = [
      { roomId, userId: 2, seq: 1 },
      { roomId, userId: 3, seq: 1 },
      { roomId: newId(), userId: 1, seq: 1 },
      { roomId: empty, userId: 1, seq: 9 },
    ];
    assert.deepEqual(await markRead(pool, marks), [{ roomId: empty, userId: 1, lastReadSeq: 0, unreadCount: 0, moved: false }]);
    assert.deepEqual(await markRead(pool, []), []);
  });

  test('of 200 users of 20 rooms moves in one call', async () => {
    const rooms = await Promise.all(
      Array.from({ length: 20 }, () =>
        roomWithLog(
          Array.from({ length: 10 }, (_, index) => index + 1),
          'mmmmm',
        ),
      ),
    );
    const marks = rooms.flatMap((roomId) =>
      Array.from({ length: 10 }, (_, index) => ({ roomId, userId: index + 1, seq: (index % 5) + 1 })),
    );
    const results = await markRead(pool, marks);
    assert.equal(results.length, 200);
    for (const { userId, lastReadSeq, unreadCount, moved } of results) {
      const seq = ((userId - 1) % 5) + 1;
      assert.deepEqual([lastReadSeq, unreadCount, moved], [seq, 5 - seq, true]);
    }
  });

  test('ends at the largest seq when many come at once in any order', async () => {
    const rooms = await Promise.all([1, 2, 3].map(() => roomWithLog([1, 2], 'm'.repeat(60))));
    const calls = Array.from({ length: 60 }, (_, index) => {
      const seq = ((index * 37) % 60) + 1;
      const marks = rooms.flatMap((roomId) => [1, 2].map((userId) => ({ roomId, userId, seq })));
      return markRead(pool, index % 2 ? marks : marks.reverse());
    });
    await Promise.all(calls);
    for (const roomId of rooms) for (const userId of [1, 2]) assert.equal(await countOf(roomId, userId), 60);
  });

  test('does not wait for a transaction that holds the room', async () => {
    const roomId = await roomWithLog([1], 'mm');
    const writer = await pool.getConnection();
    try {
      await writer.beginTransaction();
      await writer.query('SELECT id FROM rooms WHERE id = ? FOR UPDATE', [toBinary(roomId)]);
      const [result] = await markRead(pool, [{ roomId, userId: 1, seq: 2 }]);
      assert.equal(result?.moved, true);
    } finally {
      await writer.rollback();
      writer.release();
    }
  });
});

describe('memberships', () => {
  test('come in the order of the questions, also the same one twice, and are absent for strangers', async () => {
    const roomId = await roomWithLog([1, 2, 3], 'mms');
    const deleted = await roomWithLog([1], 'm');
    await pool.query('UPDATE rooms SET deleted_at = UTC_TIMESTAMP(3) WHERE id = ?', [toBinary(deleted)]);
    await endMembership(roomId, 2);
    const member = { lastSeq: 3, messageCount: 2, memberVersion: 0, lastReadSeq: 0, lastReadCount: 0 };
    const pairs = [
      { roomId, userId: 3 },
      { roomId, userId: 2 },
      { roomId: newId(), userId: 1 },
      { roomId: deleted, userId: 1 },
      { roomId, userId: 1 },
      { roomId, userId: 3 },
    ];
    const found = (await readMemberships(pool, pairs)).map((each) => each && { ...each });
    assert.deepEqual(found, [member, undefined, undefined, undefined, member, member]);
    assert.deepEqual(await readMemberships(pool, []), []);
  });

  test('of 500 pairs are looked up by primary keys, not by a scan', async () => {
    const room = await createRoom(
      pool,
      Array.from({ length: 2000 }, (_, index) => index + 1),
    );
    const pairs = Array.from({ length: 500 }, (_, index) => ({ roomId: room, userId: index * 4 + 1 }));
    // Counters belong to a connection: one pool of one.
    const single = createMysqlPool(servers.mysql.url, { max: 1 });
    const counters = async () => {
      const [rows] = await single.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Handler_read_%'");
      return new Map(rows.map((row) => [row['Variable_name'] as string, Number(row['Value'])]));
    };
    try {
      const before = await counters();
      const found = await readMemberships(single, pairs);
      const now = await counters();
      const grown = (name: string) => (now.get(name) ?? NaN) - (before.get(name) ?? NaN);
      assert.equal(found.filter(Boolean).length, 500);
      // The derived table is read once; each pair is looked up in room_members and in rooms.
      assert.ok(grown('Handler_read_key') <= 1100 && grown('Handler_read_next') <= 20, JSON.stringify([...now]));
    } finally {
      await single.end();
    }
  });

  test('lists active members of small rooms and says many of others', async () => {
    const [small, exact, large] = await Promise.all([
      createRoom(pool, [5, 4, 6]),
      createRoom(pool, [1, 2, 3]),
      createRoom(pool, [1, 2, 3, 4]),
    ]);
    await endMembership(small, 4);
    const members = await readActiveMembers(pool, [small, exact, large], { max: 3 });
    assert.deepEqual([...members.values()], [[5, 6], [1, 2, 3], 'many']);
  });

  test('lists the active rooms of users', async () => {
    const [one, two] = [await createRoom(pool, [9901, 9902]), await createRoom(pool, [9901])];
    await endMembership(two, 9901);
    const rooms = await readRoomsOf(pool, [9901, 9902, 9903]);
    assert.deepEqual(
      [...rooms],
      [
        [9901, [one]],
        [9902, [one]],
      ],
    );
  });
});

// Who belongs to which room, read in batches: one query for many rooms or users (spec 04 §4.1).
import type { RowDataPacket } from 'mysql2';
import { fromBinary, toBinary } from './ids.ts';
import type { MysqlPool } from './connection/index.ts';
import type { Membership } from './rooms.ts';

/** A user in a room. */
export interface MembershipKey {
  roomId: string;
  userId: number;
}

const keyOf = (roomId: string, userId: number): string => `${roomId}/${userId}`;

/**
 * The heads of rooms and the marks of users, in the order of `pairs`; undefined when the room is unknown or deleted, or the user is
 * not an active member. The pairs go in as a derived table, so that both servers look each one up by the primary key.
 */
export async function readMemberships(pool: MysqlPool, pairs: readonly MembershipKey[]): Promise<(Membership | undefined)[]> {
  if (pairs.length === 0) return [];
  const asked = new Map(pairs.map((pair) => [keyOf(pair.roomId, pair.userId), pair]));
  const table = [...asked.values()]
    .map((_, index) => (index === 0 ? 'SELECT ? AS room_id, ? AS user_id' : 'SELECT ?, ?'))
    .join(' UNION ALL ');
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT m.room_id, m.user_id, r.last_seq AS lastSeq, r.message_count AS messageCount, r.member_version AS memberVersion,
            m.last_read_seq AS lastReadSeq, m.last_read_count AS lastReadCount
       FROM (${table}) AS asked
       STRAIGHT_JOIN room_members m ON m.room_id = asked.room_id AND m.user_id = asked.user_id
       STRAIGHT_JOIN rooms r ON r.id = m.room_id
      WHERE m.state = 'active' AND r.deleted_at IS NULL`,
    [...asked.values()].flatMap((pair) => [toBinary(pair.roomId), pair.userId]),
  );
  const found = new Map<string, Membership>();
  for (const { room_id, user_id, ...membership } of rows) {
    found.set(keyOf(fromBinary(room_id as Buffer), user_id as number), membership as Membership);
  }
  return pairs.map((pair) => found.get(keyOf(pair.roomId, pair.userId)));
}

/** Active members of each room; 'many' for rooms with more than `max`. The cost is bounded by `max`, not by the size of the rooms. */
export async function readActiveMembers(
  pool: MysqlPool,
  roomIds: readonly string[],
  { max }: { max: number },
): Promise<Map<string, number[] | 'many'>> {
  const members = new Map<string, number[] | 'many'>(roomIds.map((roomId) => [roomId, []]));
  if (members.size === 0) return members;
  // One bounded look-up a room, all of them in one statement.
  const one = `(SELECT room_id, user_id FROM room_members WHERE room_id = ? AND state = 'active' ORDER BY user_id LIMIT ?)`;
  const [rows] = await pool.query<RowDataPacket[]>(
    [...members.keys()].map(() => one).join(' UNION ALL '),
    [...members.keys()].flatMap((roomId) => [toBinary(roomId), max + 1]),
  );
  for (const row of rows) {
    const roomId = fromBinary(row['room_id'] as Buffer);
    const known = members.get(roomId);
    if (known === undefined || known === 'many') continue;
    if (known.length === max) members.set(roomId, 'many');
    else known.push(row['user_id'] as number);
  }
  return members;
}

/** Ids of all active members of one room, however large. */
export async function readMemberIds(pool: MysqlPool, roomId: string): Promise<number[]> {
  const [rows] = await pool.query<RowDataPacket[]>(`SELECT user_id FROM room_members WHERE room_id = ? AND state = 'active'`, [
    toBinary(roomId),
  ]);
  return rows.map((row) => row['user_id'] as number);
}

/** The rooms in which each user is active; users without any are absent. */
export async function readRoomsOf(pool: MysqlPool, userIds: readonly number[]): Promise<Map<number, string[]>> {
  const rooms = new Map<number, string[]>();
  if (userIds.length === 0) return rooms;
  const [rows] = await pool.query<RowDataPacket[]>(`SELECT user_id, room_id FROM room_members WHERE user_id IN (?) AND state = 'active'`, [
    userIds,
  ]);
  for (const row of rows) {
    const userId = row['user_id'] as number;
    const known = rooms.get(userId);
    if (known) known.push(fromBinary(row['room_id'] as Buffer));
    else rooms.set(userId, [fromBinary(row['room_id'] as Buffer)]);
  }
  return rooms;
}

/** Those of `others` who are active in a room in which the user is active too. */
export async function readSharing(pool: MysqlPool, userId: number, others: readonly number[]): Promise<Set<number>> {
  if (others.length === 0) return new Set();
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT DISTINCT theirs.user_id AS userId
       FROM room_members own
       JOIN room_members theirs ON theirs.room_id = own.room_id AND theirs.user_id IN (?) AND theirs.state = 'active'
       JOIN rooms r ON r.id = own.room_id AND r.deleted_at IS NULL
      WHERE own.user_id = ? AND own.state = 'active'`,
    [others, userId],
  );
  return new Set(rows.map((row) => row['userId'] as number));
}

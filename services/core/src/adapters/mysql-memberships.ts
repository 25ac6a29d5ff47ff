// The Memberships port on MySQL: who leaves, is removed, gets another role. Each is one transaction under the room's lock.
import { mysqlError, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import { translatingErrors } from '@parley/kit/sql';
import type { Role } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { memberLeft, memberRemoved, roomChanged } from '../domain/events.ts';
import { refusalOfAdminAction, refusalOfDemotion, refusalOfLeave } from '../domain/permissions.ts';
import { shortName, systemTexts } from '../domain/system-texts.ts';
import type { Actor, Memberships, Place, RoomChange } from '../ports.ts';
import { withdrawAll } from './mysql-inviting.ts';
import {
  type ActiveMember,
  insertEvents,
  lockAsMember,
  type LockedRoom,
  readMember,
  readOthers,
  refuse,
  tell,
} from './mysql-locked-room.ts';
import { inTransaction } from './mysql-transaction.ts';

export function mysqlMemberships(pool: MysqlPool): Memberships {
  const memberships: Memberships = {
    list: (userId, roomId, page) => listMembers(pool, { userId, roomId }, page),
    leave: (place, now) => inTransaction(pool, (connection) => leave(connection, place, now)),
    remove: (place, target, now) => inTransaction(pool, (connection) => remove(connection, { place, target, now })),
    setRole: (place, target, role, now) => inTransaction(pool, (connection) => setRole(connection, { place, target, role, now })),
  };
  return translatingErrors(memberships, mysqlError);
}

async function listMembers(
  pool: MysqlPool,
  { userId, roomId }: { userId: number; roomId: string },
  { limit, after = 0 }: { limit: number; after?: number },
): Promise<{ userId: number; role: Role }[]> {
  // The row of the caller comes first and only says that the others may be seen.
  const [rows] = await pool.query<RowDataPacket[]>(
    `(SELECT 0 AS position, m.user_id, m.role FROM room_members m JOIN rooms r ON r.id = m.room_id
       WHERE m.room_id = ? AND m.user_id = ? AND m.state = 'active' AND r.deleted_at IS NULL)
     UNION ALL
     (SELECT 1, user_id, role FROM room_members WHERE room_id = ? AND user_id > ? AND state = 'active' ORDER BY user_id LIMIT ?)`,
    [toBinary(roomId), userId, toBinary(roomId), after, limit],
  );
  if (!rows.some((row) => row['position'] === 0)) throw new AppError('not_a_member');
  return rows
    .filter((row) => row['position'] === 1)
    .map((row) => ({ userId: row['user_id'] as number, role: row['role'] as Role }))
    .sort((a, b) => a.userId - b.userId);
}

async function leave(connection: Connection, { roomId, actor }: Place, now: Date): Promise<RoomChange> {
  const { room, member } = await lockAsMember(connection, roomId, actor.id);
  const others = member.role === 'admin' ? await readOthers(connection, room, actor.id) : { admin: true, any: true };
  refuse(refusalOfLeave(room.kind, member.role, others));
  await endMembership(connection, room, { userId: actor.id, member, state: 'left', now });
  const name = shortName(actor.name);
  const event = { event: 'member_left', user_id: actor.id, user_name: name } as const;
  const change = await tell(connection, room, { actor, content: systemTexts.left(name), event, now, ofMembers: true });
  const { seq } = change.entry;
  const left = memberLeft({ id: newId(), at: now }, { room_id: roomId, user_id: actor.id, seq });
  if (others.any) {
    await insertEvents(connection, [left], now);
    return change;
  }
  // Nobody is left who could let anybody in.
  const { withdrawn, events } = await withdrawAll(connection, room, now);
  await connection.query('UPDATE rooms SET deleted_at = ? WHERE id = ?', [now, toBinary(roomId)]);
  const gone = roomChanged({ id: newId(), at: now }, { room_id: roomId, by: actor.id, seq, change: 'deleted' });
  await insertEvents(connection, [left, ...events, gone], now);
  return { ...change, withdrawn };
}

interface Removal {
  place: Place;
  target: Actor;
  now: Date;
}

async function remove(connection: Connection, { place: { roomId, actor }, target, now }: Removal): Promise<RoomChange> {
  const { room, member } = await lockAsAdmin(connection, { roomId, actor, target: target.id });
  await endMembership(connection, room, { userId: target.id, member, state: 'removed', now });
  const [name, by] = [shortName(target.name), shortName(actor.name)];
  const event = { event: 'member_removed', user_id: target.id, user_name: name, by: actor.id } as const;
  const change = await tell(connection, room, { actor, content: systemTexts.removed(name, by), event, now, ofMembers: true });
  const data = { room_id: roomId, user_id: target.id, by: actor.id, seq: change.entry.seq };
  await insertEvents(connection, [memberRemoved({ id: newId(), at: now }, data)], now);
  return change;
}

/** undefined: the role was the asked one already. */
async function setRole(
  connection: Connection,
  { place: { roomId, actor }, target, role, now }: Removal & { role: Role },
): Promise<RoomChange | undefined> {
  const { room, member } = await lockAsAdmin(connection, { roomId, actor, target: target.id });
  if (member.role === role) return undefined;
  // Whoever takes the role from somebody else is an admin and stays one.
  if (target.id === actor.id) refuse(refusalOfDemotion(await readOthers(connection, room, actor.id)));
  await connection.query('UPDATE room_members SET role = ? WHERE room_id = ? AND user_id = ?', [role, toBinary(roomId), target.id]);
  const [name, by] = [shortName(target.name), shortName(actor.name)];
  const event = { event: 'member_role', user_id: target.id, user_name: name, by: actor.id, role } as const;
  const change = await tell(connection, room, { actor, content: systemTexts.role(name, role, by), event, now, ofMembers: true });
  const data = { room_id: roomId, by: actor.id, seq: change.entry.seq, change: 'role' as const, user_id: target.id, role };
  await insertEvents(connection, [roomChanged({ id: newId(), at: now }, data)], now);
  return change;
}

/** Locks the room for an admin who acts on a member. */
async function lockAsAdmin(
  connection: Connection,
  { roomId, actor, target }: { roomId: string; actor: Actor; target: number },
): Promise<{ room: LockedRoom; member: ActiveMember }> {
  const { room, member: self } = await lockAsMember(connection, roomId, actor.id);
  refuse(refusalOfAdminAction(room.kind, self.role));
  const member = target === actor.id ? self : await readMember(connection, room, target);
  if (!member) throw new AppError('user_not_found', 'This user is not a member of the room');
  return { room, member };
}

interface Ending {
  userId: number;
  member: ActiveMember;
  state: 'left' | 'removed';
  now: Date;
}

/** Only active members hide a room, so that rooms.hidden_count says how many rows a message has to show again. */
async function endMembership(connection: Connection, room: LockedRoom, { userId, member, state, now }: Ending): Promise<void> {
  await connection.query('UPDATE room_members SET state = ?, left_at = ?, hidden_at = NULL WHERE room_id = ? AND user_id = ?', [
    state,
    now,
    toBinary(room.id),
    userId,
  ]);
  if (member.hidden) await connection.query('UPDATE rooms SET hidden_count = hidden_count - 1 WHERE id = ?', [toBinary(room.id)]);
}

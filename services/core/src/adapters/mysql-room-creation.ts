// New rooms: the room, its members or invitations and the events, in one transaction.
import { fromBinary, isDuplicate, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import type { Invitation } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { invitationCreated, roomCreated } from '../domain/events.ts';
import type { DirectPlan, GroupPlan } from '../domain/room-plan.ts';
import { insertInvitations } from './mysql-inviting.ts';
import { insertEvents } from './mysql-locked-room.ts';
import { inTransaction } from './mysql-transaction.ts';

/**
 * The unique key decides who creates the room of a pair: everybody inserts, one succeeds, the others wait for its commit, get
 * "duplicate", and read. The read before it only saves the common case a failed insert.
 */
export async function createDirect(
  pool: MysqlPool,
  creator: number,
  plan: DirectPlan,
  now: Date,
): Promise<{ roomId: string; created: boolean }> {
  const existing = await findDirect(pool, plan.directKey);
  if (existing !== undefined) return { roomId: existing, created: false };
  const roomId = newId();
  const members = [creator, plan.otherId];
  try {
    await inTransaction(pool, async (connection) => {
      await insertRoom(connection, { roomId, type: 'direct', name: null, creator, directKey: plan.directKey, now });
      await insertMembers(connection, { roomId, members, role: 'member', now });
      const data = { room_id: roomId, room_type: 'direct' as const, name: null, created_by: creator, member_ids: members };
      await insertEvents(connection, [roomCreated({ id: newId(), at: now }, data)], now);
    });
    return { roomId, created: true };
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    const winner = await findDirect(pool, plan.directKey);
    if (winner === undefined) throw new AppError('conflict', 'The room was deleted at this moment; try again', { cause: error });
    return { roomId: winner, created: false };
  }
}

export async function createGroup(
  pool: MysqlPool,
  creator: number,
  plan: GroupPlan,
  now: Date,
): Promise<{ roomId: string; invitations: Invitation[] }> {
  const roomId = newId();
  const invitations = plan.inviteeIds.map((userId): Invitation => ({
    id: newId(),
    room_id: roomId,
    room_name: plan.name,
    user_id: userId,
    invited_by: creator,
    state: 'pending',
    created_at: now.toISOString(),
  }));
  await inTransaction(pool, async (connection) => {
    await insertRoom(connection, { roomId, type: 'group', name: plan.name, creator, directKey: null, now });
    await insertMembers(connection, { roomId, members: [creator], role: 'admin', now });
    if (invitations.length > 0) await insertInvitations(connection, invitations, now);
    const room = { room_id: roomId, room_type: 'group' as const, name: plan.name, created_by: creator, member_ids: [creator] };
    const invited = invitations.map(({ id, user_id }) =>
      invitationCreated({ id: newId(), at: now }, { invitation_id: id, room_id: roomId, user_id, invited_by: creator }),
    );
    await insertEvents(connection, [roomCreated({ id: newId(), at: now }, room), ...invited], now);
  });
  return { roomId, invitations };
}

async function findDirect(pool: MysqlPool, directKey: string): Promise<string | undefined> {
  const [rows] = await pool.query<RowDataPacket[]>('SELECT id FROM rooms WHERE direct_key = ? AND deleted_at IS NULL', [directKey]);
  return rows[0] && fromBinary(rows[0]['id'] as Buffer);
}

interface NewRoom {
  roomId: string;
  type: 'direct' | 'group';
  name: string | null;
  creator: number;
  directKey: string | null;
  now: Date;
}

async function insertRoom(connection: Connection, { roomId, type, name, creator, directKey, now }: NewRoom): Promise<void> {
  await connection.query(
    'INSERT INTO rooms (id, type, name, created_by, created_at, member_version, direct_key) VALUES (?, ?, ?, ?, ?, 1, ?)',
    [toBinary(roomId), type, name, creator, now, directKey],
  );
}

interface NewMembers {
  roomId: string;
  members: readonly number[];
  role: 'admin' | 'member';
  now: Date;
}

async function insertMembers(connection: Connection, { roomId, members, role, now }: NewMembers): Promise<void> {
  const rows = members.map((userId) => [toBinary(roomId), userId, role, 'active', now]);
  await connection.query('INSERT INTO room_members (room_id, user_id, role, state, joined_at) VALUES ?', [rows]);
}

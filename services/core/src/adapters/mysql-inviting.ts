// Invitations from the side of the room: new ones, and those that are taken back.
import { fromBinary, newId, toBinary } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import type { Invitation } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { invitationAnswered, invitationCreated } from '../domain/events.ts';
import { refusalOfAdminAction } from '../domain/permissions.ts';
import type { InvitationsMade, Place, Withdrawn } from '../ports.ts';
import { insertEvents, lockAsMember, type LockedRoom, lockRoom, refuse } from './mysql-locked-room.ts';

export const INVITATION_COLUMNS = 'i.id, i.room_id, i.user_id, i.invited_by, i.state, i.created_at';

export function toInvitation(row: RowDataPacket, roomName: string | null): Invitation {
  return {
    id: fromBinary(row['id'] as Buffer),
    room_id: fromBinary(row['room_id'] as Buffer),
    room_name: roomName,
    user_id: row['user_id'] as number,
    invited_by: row['invited_by'] as number,
    state: row['state'] as Invitation['state'],
    created_at: (row['created_at'] as Date).toISOString(),
  };
}

/** Who has an invitation that waits keeps it; whoever declined, left or was removed gets a new one. */
export async function invite(
  connection: Connection,
  { roomId, actor }: Place,
  { userIds, now }: { userIds: readonly number[]; now: Date },
): Promise<InvitationsMade> {
  const { room, member } = await lockAsMember(connection, roomId, actor.id);
  refuse(refusalOfAdminAction(room.kind, member.role));
  const id = toBinary(roomId);
  const [members] = await connection.query<RowDataPacket[]>(
    "SELECT user_id FROM room_members WHERE room_id = ? AND user_id IN (?) AND state = 'active'",
    [id, userIds],
  );
  if (members.length > 0) throw new AppError('conflict', `Members already: ${members.map((row) => String(row['user_id'])).join(', ')}`);
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT ${INVITATION_COLUMNS} FROM invitations i WHERE i.room_id = ? AND i.user_id IN (?) AND i.pending = 1`,
    [id, userIds],
  );
  const waiting = rows.map((row) => toInvitation(row, room.name));
  const known = new Set(waiting.map((invitation) => invitation.user_id));
  const created = userIds.filter((userId) => !known.has(userId)).map((userId): Invitation => newInvitation(room, { userId, actor, now }));
  if (created.length > 0) {
    await insertInvitations(connection, created, now);
    const events = created.map((each) =>
      invitationCreated({ id: newId(), at: now }, { invitation_id: each.id, room_id: roomId, user_id: each.user_id, invited_by: actor.id }),
    );
    await insertEvents(connection, events, now);
  }
  return { waiting, created };
}

function newInvitation(room: LockedRoom, { userId, actor, now }: { userId: number; actor: Place['actor']; now: Date }): Invitation {
  return {
    id: newId(),
    room_id: room.id,
    room_name: room.name,
    user_id: userId,
    invited_by: actor.id,
    state: 'pending',
    created_at: now.toISOString(),
  };
}

export async function insertInvitations(connection: Connection, invitations: readonly Invitation[], now: Date): Promise<void> {
  const rows = invitations.map((each) => [
    toBinary(each.id),
    toBinary(each.room_id),
    each.user_id,
    each.invited_by,
    'pending',
    1,
    now,
    now,
  ]);
  await connection.query('INSERT INTO invitations (id, room_id, user_id, invited_by, state, pending, created_at, updated_at) VALUES ?', [
    rows,
  ]);
}

/** Taken back by who made it. Somebody else's looks like one that does not exist, so that ids cannot be probed. */
export async function withdraw(
  connection: Connection,
  { invitationId, inviter, now }: { invitationId: string; inviter: number; now: Date },
): Promise<Withdrawn> {
  const id = toBinary(invitationId);
  const read = async (lock: string) => {
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT ${INVITATION_COLUMNS} FROM invitations i WHERE i.id = ? ${lock}`, [id]);
    return rows[0] && toInvitation(rows[0], null);
  };
  const invitation = await read('');
  if (invitation?.invited_by !== inviter) throw new AppError('invitation_not_found');
  if (!(await lockRoom(connection, invitation.room_id))) throw new AppError('invitation_not_found');
  if ((await read('FOR UPDATE'))?.state !== 'pending') throw new AppError('invitation_answered');
  await connection.query("UPDATE invitations SET state = 'withdrawn', pending = NULL, updated_at = ? WHERE id = ?", [now, id]);
  await insertEvents(connection, [withdrawnEvent(invitation, now)], now);
  return withdrawnOf(invitation);
}

/** All that wait, because the room ends. The caller writes the events. */
export async function withdrawAll(connection: Connection, room: LockedRoom, now: Date) {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT ${INVITATION_COLUMNS} FROM invitations i WHERE i.room_id = ? AND i.pending = 1`,
    [toBinary(room.id)],
  );
  const invitations = rows.map((row) => toInvitation(row, room.name));
  if (invitations.length > 0) {
    await connection.query("UPDATE invitations SET state = 'withdrawn', pending = NULL, updated_at = ? WHERE room_id = ? AND pending = 1", [
      now,
      toBinary(room.id),
    ]);
  }
  return { withdrawn: invitations.map(withdrawnOf), events: invitations.map((each) => withdrawnEvent(each, now)) };
}

const withdrawnOf = ({ id, room_id, user_id, invited_by }: Invitation): Withdrawn => ({
  invitationId: id,
  roomId: room_id,
  userId: user_id,
  invitedBy: invited_by,
});

function withdrawnEvent({ id, room_id, user_id }: Invitation, now: Date) {
  return invitationAnswered({ id: newId(), at: now }, { invitation_id: id, room_id, user_id, answer: 'withdrawn' });
}

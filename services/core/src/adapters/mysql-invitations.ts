// The Invitations port on MySQL.
import { mysqlError, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { translatingErrors } from '@parley/kit/sql';
import type { Invitation } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { InvitationCursor } from '../domain/cursor.ts';
import { invitationAnswered, memberJoined } from '../domain/events.ts';
import { refusalOf } from '../domain/invitation-answer.ts';
import { shortName, systemTexts } from '../domain/system-texts.ts';
import type { Actor, Answer, Answered, Invitations, RoomChange } from '../ports.ts';
import { invite, INVITATION_COLUMNS, toInvitation, withdraw } from './mysql-inviting.ts';
import { insertEvents, type LockedRoom, lockRoom, readMember, tell } from './mysql-locked-room.ts';
import { inTransaction } from './mysql-transaction.ts';

export function mysqlInvitations(pool: MysqlPool): Invitations {
  const invitations: Invitations = {
    pending: (userId, page) => readPending(pool, userId, page),
    answer: (invitationId, actor, answer, now) =>
      inTransaction(pool, (connection) => answerOne(connection, { invitationId, actor, answer, now })),
    invite: (place, userIds, now) => inTransaction(pool, (connection) => invite(connection, place, { userIds, now })),
    withdraw: (invitationId, inviter, now) => inTransaction(pool, (connection) => withdraw(connection, { invitationId, inviter, now })),
  };
  return translatingErrors(invitations, mysqlError);
}

async function readPending(
  pool: MysqlPool,
  userId: number,
  { limit, cursor }: { limit: number; cursor?: InvitationCursor },
): Promise<Invitation[]> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT ${INVITATION_COLUMNS}, r.name FROM invitations i JOIN rooms r ON r.id = i.room_id
      WHERE i.user_id = ? AND i.state = 'pending' AND r.deleted_at IS NULL ${cursor ? 'AND i.id < ?' : ''} ORDER BY i.id DESC LIMIT ?`,
    cursor ? [userId, toBinary(cursor.id), limit] : [userId, limit],
  );
  return rows.map((row) => toInvitation(row, row['name'] as string | null));
}

interface AnswerCall {
  invitationId: string;
  actor: Actor;
  answer: Answer;
  now: Date;
}

/**
 * The room's row first, as for every change of a room, then the invitation's: of two answers at once the second finds it answered. The
 * room is locked for a decline too, because its event must get its place in the outbox in the order of the room's changes.
 */
async function answerOne(connection: Connection, { invitationId, actor, answer, now }: AnswerCall): Promise<Answered> {
  const id = toBinary(invitationId);
  const read = async (lock: string) => {
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT ${INVITATION_COLUMNS} FROM invitations i WHERE i.id = ? ${lock}`, [id]);
    return rows[0] && toInvitation(rows[0], null);
  };
  const seen = await read('');
  if (seen?.user_id !== actor.id) return { ok: false, error: 'invitation_not_found' };
  const room = await lockRoom(connection, seen.room_id);
  const invitation = await read('FOR UPDATE');
  const known = invitation && { userId: invitation.user_id, state: invitation.state, roomDeleted: room === undefined };
  const error = refusalOf(known, actor.id);
  if (error !== undefined || !invitation || !room) return { ok: false, error: error ?? 'invitation_not_found' };

  await connection.query('UPDATE invitations SET state = ?, pending = NULL, updated_at = ? WHERE id = ?', [answer, now, id]);
  const change = answer === 'accepted' ? await join(connection, room, { actor, now }) : undefined;
  const answered = { invitation_id: invitationId, room_id: room.id, user_id: actor.id, answer };
  const joined = change && { room_id: room.id, user_id: actor.id, seq: change.entry.seq };
  await insertEvents(
    connection,
    [invitationAnswered({ id: newId(), at: now }, answered), ...(joined ? [memberJoined({ id: newId(), at: now }, joined)] : [])],
    now,
  );
  return { ok: true, invitation: { ...invitation, room_name: room.name, state: answer }, change };
}

/** Who comes (back) starts with nothing unread. Returns undefined for somebody who is a member already. */
async function join(
  connection: Connection,
  room: LockedRoom,
  { actor, now }: { actor: Actor; now: Date },
): Promise<RoomChange | undefined> {
  if (await readMember(connection, room, actor.id)) return undefined;
  await connection.query(
    `INSERT INTO room_members (room_id, user_id, role, state, joined_seq, joined_at, last_read_seq, last_read_count)
     VALUES (?, ?, 'member', 'active', ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE role = VALUES(role), state = VALUES(state), joined_seq = VALUES(joined_seq), joined_at = VALUES(joined_at),
       last_read_seq = VALUES(last_read_seq), last_read_count = VALUES(last_read_count), left_at = NULL, hidden_at = NULL`,
    [toBinary(room.id), actor.id, room.lastSeq, now, room.lastSeq, room.messageCount],
  );
  const name = shortName(actor.name);
  const event = { event: 'member_joined', user_id: actor.id, user_name: name } as const;
  return tell(connection, room, { actor, content: systemTexts.joined(name), event, now, ofMembers: true });
}

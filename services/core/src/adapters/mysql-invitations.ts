// The Invitations port on MySQL.
import { appendSystemEntry, fromBinary, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { translatingErrors } from '@parley/kit';
import type { Entry, Invitation } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { InvitationCursor } from '../domain/cursor.ts';
import { invitationAnswered, memberJoined } from '../domain/events.ts';
import { refusalOf } from '../domain/invitation-answer.ts';
import type { Actor, Answer, Answered, Invitations } from '../ports.ts';
import { mysqlError } from './mysql-failure.ts';
import { insertEvents } from './mysql-outbox.ts';
import { inTransaction } from './mysql-transaction.ts';

/** Width of messages.sender_name. */
const NAME_MAX = 120;

export function mysqlInvitations(pool: MysqlPool): Invitations {
  const invitations: Invitations = {
    pending: (userId, page) => readPending(pool, userId, page),
    answer: (invitationId, actor, answer, now) =>
      inTransaction(pool, (connection) => answerOne(connection, { invitationId, actor, answer, now })),
  };
  return translatingErrors(invitations, mysqlError);
}

const COLUMNS = `i.id, i.room_id, i.user_id, i.invited_by, i.state, i.created_at`;

async function readPending(
  pool: MysqlPool,
  userId: number,
  { limit, cursor }: { limit: number; cursor?: InvitationCursor },
): Promise<Invitation[]> {
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT ${COLUMNS}, r.name FROM invitations i JOIN rooms r ON r.id = i.room_id
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
 * Two answers at once: the second waits for the row of the invitation and then finds it answered. The room's row is locked for a
 * decline too, because its event must get its place in the outbox in the order of the room's changes.
 */
async function answerOne(connection: Connection, { invitationId, actor, answer, now }: AnswerCall): Promise<Answered> {
  const [invitations] = await connection.query<RowDataPacket[]>(`SELECT ${COLUMNS} FROM invitations i WHERE i.id = ? FOR UPDATE`, [
    toBinary(invitationId),
  ]);
  const row = invitations[0];
  const room = row && (await lockRoom(connection, row['room_id'] as Buffer));
  const known = row && { userId: row['user_id'] as number, state: row['state'] as string, roomDeleted: room === undefined };
  const error = refusalOf(known, actor.id);
  if (error !== undefined || row === undefined || room === undefined) return { ok: false, error: error ?? 'invitation_not_found' };

  await connection.query('UPDATE invitations SET state = ?, pending = NULL, updated_at = ? WHERE id = ?', [
    answer,
    now,
    toBinary(invitationId),
  ]);
  const roomId = fromBinary(row['room_id'] as Buffer);
  const entry = answer === 'accepted' ? await join(connection, { roomId, room, actor, now }) : undefined;
  const answered = { invitation_id: invitationId, room_id: roomId, user_id: actor.id, answer };
  await insertEvents(
    connection,
    [
      invitationAnswered({ id: newId(), at: now }, answered),
      ...(entry ? [memberJoined({ id: newId(), at: now }, { room_id: roomId, user_id: actor.id, seq: entry.seq })] : []),
    ],
    now,
  );
  return { ok: true, invitation: toInvitation({ ...row, state: answer }, room.name), entry };
}

interface LockedRoom {
  name: string | null;
  last_seq: number;
  message_count: number;
}

async function lockRoom(connection: Connection, id: Buffer): Promise<LockedRoom | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT name, last_seq, message_count FROM rooms WHERE id = ? AND deleted_at IS NULL FOR UPDATE',
    [id],
  );
  return rows[0] as LockedRoom | undefined;
}

interface Joining {
  roomId: string;
  room: LockedRoom;
  actor: Actor;
  now: Date;
}

/** Who comes (back) starts with nothing unread. Returns the log entry, or undefined for somebody who is a member already. */
async function join(connection: Connection, { roomId, room, actor, now }: Joining): Promise<Entry | undefined> {
  const id = toBinary(roomId);
  const [members] = await connection.query<RowDataPacket[]>('SELECT state FROM room_members WHERE room_id = ? AND user_id = ? FOR UPDATE', [
    id,
    actor.id,
  ]);
  if (members[0]?.['state'] === 'active') return undefined;
  await connection.query(
    `INSERT INTO room_members (room_id, user_id, role, state, joined_seq, joined_at, last_read_seq, last_read_count)
     VALUES (?, ?, 'member', 'active', ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE role = VALUES(role), state = VALUES(state), joined_seq = VALUES(joined_seq), joined_at = VALUES(joined_at),
       last_read_seq = VALUES(last_read_seq), last_read_count = VALUES(last_read_count), left_at = NULL, hidden_at = NULL`,
    [id, actor.id, room.last_seq, now, room.last_seq, room.message_count],
  );
  await connection.query('UPDATE rooms SET member_version = member_version + 1 WHERE id = ?', [id]);
  const name = actor.name.slice(0, NAME_MAX);
  return appendSystemEntry(connection, {
    roomId,
    actor: { id: actor.id, name },
    content: `${name} joined`,
    event: { event: 'member_joined', user_id: actor.id, user_name: name },
    now,
  });
}

function toInvitation(row: Record<string, unknown>, roomName: string | null): Invitation {
  return {
    id: fromBinary(row['id'] as Buffer),
    room_id: fromBinary(row['room_id'] as Buffer),
    room_name: roomName,
    invited_by: row['invited_by'] as number,
    state: row['state'] as Invitation['state'],
    created_at: (row['created_at'] as Date).toISOString(),
  };
}

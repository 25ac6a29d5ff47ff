// A room under the lock of its row. Whatever changes members, name or marks of hiding takes this lock first, as the writer of messages
// does, so that all changes of a room happen one after the other and nothing else needs a lock.
import { appendSystemEntry, toBinary, type RoomHead } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import { topics, type Role, type RoomEvent, type SystemEvent } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { Others, Refusal, RoomKind } from '../domain/permissions.ts';
import { shortName } from '../domain/system-texts.ts';
import type { Actor, RoomChange } from '../ports.ts';

export interface LockedRoom extends RoomHead {
  kind: RoomKind;
  name: string | null;
}

/** undefined: no such room, or it is deleted. */
export async function lockRoom(connection: Connection, roomId: string): Promise<LockedRoom | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT type AS kind, name, last_seq AS lastSeq, message_count AS messageCount, member_version AS memberVersion,
            last_message_at AS lastMessageAt
       FROM rooms WHERE id = ? AND deleted_at IS NULL FOR UPDATE`,
    [toBinary(roomId)],
  );
  return rows[0] && { id: roomId, ...(rows[0] as Omit<LockedRoom, 'id'>) };
}

export interface ActiveMember {
  role: Role;
  hidden: boolean;
}

/** Read after the lock of the room; undefined for who is not an active member. */
export async function readMember(connection: Connection, room: LockedRoom, userId: number): Promise<ActiveMember | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT role, hidden_at IS NOT NULL AS hidden FROM room_members WHERE room_id = ? AND user_id = ? AND state = 'active'",
    [toBinary(room.id), userId],
  );
  return rows[0] && { role: rows[0]['role'] as Role, hidden: rows[0]['hidden'] === 1 };
}

/** Locks the room for one of its members. Unknown rooms look like those of others. */
export async function lockAsMember(
  connection: Connection,
  roomId: string,
  userId: number,
): Promise<{ room: LockedRoom; member: ActiveMember }> {
  const room = await lockRoom(connection, roomId);
  const member = room && (await readMember(connection, room, userId));
  if (!room || !member) throw new AppError('not_a_member');
  return { room, member };
}

/** Whether other members, and other admins, are there. Each look-up ends at the first one. */
export async function readOthers(connection: Connection, room: LockedRoom, userId: number): Promise<Others> {
  const first = async (condition: string): Promise<boolean> => {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT 1 FROM room_members WHERE room_id = ? AND user_id <> ? AND state = 'active' ${condition} LIMIT 1`,
      [toBinary(room.id), userId],
    );
    return rows.length > 0;
  };
  const admin = await first("AND role = 'admin'");
  return { admin, any: admin || (await first('')) };
}

export interface Told {
  actor: Actor;
  content: string;
  event: SystemEvent;
  now: Date;
  /** the change is one of members */
  ofMembers: boolean;
}

/** Appends the system entry that tells of the change; once a transaction. */
export function tell(connection: Connection, room: LockedRoom, { actor, ...told }: Told): Promise<RoomChange> {
  return appendSystemEntry(connection, room, { actor: { id: actor.id, name: shortName(actor.name) }, ...told });
}

/** A decision against a change ends its transaction: throws when there is a refusal. */
export function refuse(refusal: Refusal | undefined): void {
  if (refusal) throw new AppError(refusal.code, refusal.detail);
}

/** Events on their way to Kafka: a room's rows get their ids, and become visible, in the order of its changes. */
export async function insertEvents(connection: Connection, events: readonly RoomEvent[], now: Date): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => [topics.rooms, event.data.room_id, JSON.stringify(event), now]);
  await connection.query('INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ?', [rows]);
}

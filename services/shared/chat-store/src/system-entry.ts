// A system entry (somebody joined, …) in the same transaction as the change it tells of.
import { topics, type Entry, type MessageRange, type SystemEvent } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import { newId, toBinary } from './ids.ts';
import type { MysqlConnection } from './connection/index.ts';

export interface SystemEntry {
  roomId: string;
  actor: { id: number; name: string };
  content: string;
  event: SystemEvent;
  now: Date;
}

/**
 * Appends to the room's log inside the caller's open transaction: locks the room row, takes the next seq, writes the outbox row.
 * message_count stays: system entries are not unread messages. The caller commits and then publishes the frame.
 */
export async function appendSystemEntry(connection: MysqlConnection, { roomId, actor, content, event, now }: SystemEntry): Promise<Entry> {
  const room = toBinary(roomId);
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT last_seq, message_count, last_message_at FROM rooms WHERE id = ? FOR UPDATE',
    [room],
  );
  const row = rows[0] as { last_seq: number; message_count: number; last_message_at: Date | null } | undefined;
  if (!row) throw new Error(`room ${roomId} does not exist`);
  const seq = row.last_seq + 1;
  const createdAt = row.last_message_at && row.last_message_at > now ? row.last_message_at : now;
  const entry: Entry = {
    id: newId(),
    room_id: roomId,
    seq,
    kind: 'system',
    sender_id: actor.id,
    sender_name: actor.name,
    content,
    message_type: 'system',
    metadata: event,
    created_at: createdAt.toISOString(),
  };
  await connection.query(
    `INSERT INTO messages (room_id, seq, id, kind, message_no, sender_id, sender_name, content, message_type, metadata, client_msg_id, created_at)
     VALUES (?, ?, ?, 'system', ?, ?, ?, ?, 'system', ?, NULL, ?)`,
    [room, seq, toBinary(entry.id), row.message_count, actor.id, actor.name, content, JSON.stringify(event), createdAt],
  );
  await connection.query('UPDATE rooms SET last_seq = ?, last_message_at = ? WHERE id = ?', [seq, createdAt, room]);
  const range: MessageRange = { room_id: roomId, from_seq: seq, to_seq: seq };
  await connection.query('INSERT INTO outbox (topic, event_key, payload, created_at) VALUES (?, ?, ?, ?)', [
    topics.messages,
    roomId,
    JSON.stringify(range),
    createdAt,
  ]);
  return entry;
}

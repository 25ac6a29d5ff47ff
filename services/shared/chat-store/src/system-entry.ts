// A system entry (somebody joined, …) in the same transaction as the change it tells of.
import { topics, type Entry, type MessageRange, type SystemEvent } from '@parley/protocol';
import { newId, toBinary } from './ids.ts';
import type { MysqlConnection } from './connection/index.ts';

/** The room's row as the caller has read and locked it in this transaction. */
export interface RoomHead {
  id: string;
  lastSeq: number;
  messageCount: number;
  memberVersion: number;
  lastMessageAt: Date | null;
}

/** An entry of the log that tells of a change of the room or its members. */
export interface SystemEntry {
  actor: { id: number; name: string };
  content: string;
  event: SystemEvent;
  now: Date;
  /** The change is one of members: other processes may not go on with the members they remember. */
  ofMembers: boolean;
}

/**
 * Appends to the log of a room whose row the caller's open transaction has locked: takes the next seq, moves the head, writes the outbox
 * row. message_count stays: system entries are not unread messages. Once a transaction; the caller commits and then publishes the frame.
 */
export async function appendSystemEntry(
  connection: MysqlConnection,
  head: RoomHead,
  { actor, content, event, now, ofMembers }: SystemEntry,
): Promise<{ entry: Entry; memberVersion: number }> {
  const roomId = head.id;
  const room = toBinary(roomId);
  const seq = head.lastSeq + 1;
  const memberVersion = head.memberVersion + (ofMembers ? 1 : 0);
  const createdAt = head.lastMessageAt && head.lastMessageAt > now ? head.lastMessageAt : now;
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
    [room, seq, toBinary(entry.id), head.messageCount, actor.id, actor.name, content, JSON.stringify(event), createdAt],
  );
  await connection.query('UPDATE rooms SET last_seq = ?, last_message_at = ?, member_version = ? WHERE id = ?', [
    seq,
    createdAt,
    memberVersion,
    room,
  ]);
  const range: MessageRange = { room_id: roomId, from_seq: seq, to_seq: seq };
  await connection.query('INSERT INTO outbox (topic, event_key, payload, created_at) VALUES (?, ?, ?, ?)', [
    topics.messages,
    roomId,
    JSON.stringify(range),
    createdAt,
  ]);
  return { entry, memberVersion };
}

// Rows of the message log as entries of the protocol, and the queries that read them. Every query leads with room_id.
import type { Entry } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import { fromBinary, toBinary } from './ids.ts';
import type { MysqlConnection, MysqlPool } from './connection/index.ts';

/** Columns of `messages` that an entry is made of, for SELECT. */
export const ENTRY_COLUMNS = 'room_id, seq, id, kind, sender_id, sender_name, content, message_type, metadata, client_msg_id, created_at';

/** A row with {@link ENTRY_COLUMNS}. */
export interface EntryRow extends RowDataPacket {
  room_id: Buffer;
  seq: number;
  id: Buffer;
  kind: Entry['kind'];
  sender_id: number;
  sender_name: string;
  content: string;
  message_type: Entry['message_type'];
  metadata: string | null;
  client_msg_id: string | null;
  created_at: Date;
}

/** The entry of the protocol that a row stands for. */
export function toEntry(row: EntryRow): Entry {
  return {
    id: fromBinary(row.id),
    room_id: fromBinary(row.room_id),
    seq: row.seq,
    kind: row.kind,
    sender_id: row.sender_id,
    sender_name: row.sender_name,
    content: row.content,
    message_type: row.message_type,
    metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as Record<string, unknown>),
    created_at: row.created_at.toISOString(),
    ...(row.client_msg_id === null ? {} : { client_msg_id: row.client_msg_id }),
  };
}

const FRAME_HEAD = '{"type":"message",';

/** The `message` frame of an entry, encoded once for all its receivers. */
export function encodeEntryFrame(entry: Entry): Buffer {
  return Buffer.from(FRAME_HEAD + JSON.stringify(entry).slice(1));
}

type Reader = MysqlPool | MysqlConnection;

/** A page of history: ascending after `afterSeq`, otherwise descending (newest first), below `beforeSeq` if given. */
export async function readEntries(
  db: Reader,
  roomId: string,
  page: { afterSeq?: number; beforeSeq?: number; limit: number },
): Promise<Entry[]> {
  const { afterSeq, beforeSeq, limit } = page;
  const room = toBinary(roomId);
  const select = `SELECT ${ENTRY_COLUMNS} FROM messages WHERE room_id = ?`;
  const [rows] =
    afterSeq !== undefined
      ? await db.query<EntryRow[]>(`${select} AND seq > ? ORDER BY seq LIMIT ?`, [room, afterSeq, limit])
      : await db.query<EntryRow[]>(`${select} AND seq < ? ORDER BY seq DESC LIMIT ?`, [room, beforeSeq ?? Number.MAX_SAFE_INTEGER, limit]);
  return rows.map(toEntry);
}

/** Entries `fromSeq` … `toSeq`, both included, ascending. */
export async function readRange(db: Reader, roomId: string, fromSeq: number, toSeq: number): Promise<Entry[]> {
  const [rows] = await db.query<EntryRow[]>(
    `SELECT ${ENTRY_COLUMNS} FROM messages WHERE room_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`,
    [toBinary(roomId), fromSeq, toSeq],
  );
  return rows.map(toEntry);
}

// Reads of rooms: a page of views in one query, the members of all of them in a second one.
import {
  ENTRY_COLUMNS,
  fromBinary,
  readEntries,
  readMembership,
  toBinary,
  toEntry,
  type EntryRow,
  type MysqlPool,
} from '@parley/chat-store';
import type { Entry, MessagesQuery } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import type { RoomCursor } from '../domain/cursor.ts';
import type { RoomMember, RoomView } from '../domain/room-answer.ts';

/** Most members of a room that its answer shows. */
const MEMBERS_SHOWN = 100;

const VIEW = `SELECT r.id AS view_id, r.type AS view_type, r.name AS view_name, r.created_by AS view_created_by,
    r.created_at AS view_created_at, COALESCE(r.last_message_at, r.created_at) AS view_sort_at, r.last_seq AS view_last_seq,
    r.message_count AS view_message_count, r.last_message_at AS view_last_message_at,
    m.last_read_seq AS view_last_read_seq, m.last_read_count AS view_last_read_count, m.hidden_at IS NOT NULL AS view_hidden
  FROM room_members m JOIN rooms r ON r.id = m.room_id
  WHERE m.user_id = ? AND m.state = 'active' AND r.deleted_at IS NULL`;

/** The log's last entry is looked up after the page is cut, so that the sort carries no message texts. */
const withLastEntry = (page: string): string =>
  `SELECT view.*, ${ENTRY_COLUMNS} FROM (${page}) view LEFT JOIN messages ON room_id = view_id AND seq = view_last_seq`;

export async function listRooms(
  pool: MysqlPool,
  userId: number,
  { limit, cursor, includeHidden }: { limit: number; cursor?: RoomCursor; includeHidden: boolean },
): Promise<RoomView[]> {
  const after = cursor
    ? 'AND (COALESCE(r.last_message_at, r.created_at) < ? OR (COALESCE(r.last_message_at, r.created_at) = ? AND r.id < ?))'
    : '';
  const at = cursor && new Date(cursor.sortAtMs);
  const shown = includeHidden ? '' : 'AND m.hidden_at IS NULL';
  const page = `${VIEW} ${shown} ${after} ORDER BY view_sort_at DESC, r.id DESC LIMIT ?`;
  const values = cursor ? [userId, at, at, toBinary(cursor.id), limit] : [userId, limit];
  const [rows] = await pool.query<ViewRow[]>(`${withLastEntry(page)} ORDER BY view_sort_at DESC, view_id DESC`, values);
  return rows.map(toView);
}

export async function findRoom(pool: MysqlPool, userId: number, roomId: string): Promise<RoomView | undefined> {
  const [rows] = await pool.query<ViewRow[]>(withLastEntry(`${VIEW} AND r.id = ?`), [userId, toBinary(roomId)]);
  return rows[0] && toView(rows[0]);
}

/** One statement with a bounded range for each room: each part reads at most {@link MEMBERS_SHOWN} rows however large the room is. */
export async function readMembers(pool: MysqlPool, roomIds: readonly string[]): Promise<RoomMember[]> {
  if (roomIds.length === 0) return [];
  const part = `(SELECT room_id, user_id, role FROM room_members WHERE room_id = ? AND state = 'active' ORDER BY user_id LIMIT ${MEMBERS_SHOWN})`;
  const [rows] = await pool.query<RowDataPacket[]>(roomIds.map(() => part).join(' UNION ALL '), roomIds.map(toBinary));
  return rows.map((row) => ({
    roomId: fromBinary(row['room_id'] as Buffer),
    userId: row['user_id'] as number,
    role: row['role'] as RoomMember['role'],
  }));
}

export async function readLog(pool: MysqlPool, userId: number, roomId: string, query: MessagesQuery): Promise<Entry[] | undefined> {
  if ((await readMembership(pool, roomId, userId)) === undefined) return undefined;
  return readEntries(pool, roomId, {
    limit: query.limit,
    ...(query.after_seq === undefined ? {} : { afterSeq: query.after_seq }),
    ...(query.before_seq === undefined ? {} : { beforeSeq: query.before_seq }),
  });
}

interface ViewRow extends EntryRow {
  view_id: Buffer;
  view_type: RoomView['type'];
  view_name: string | null;
  view_created_by: number;
  view_created_at: Date;
  view_sort_at: Date;
  view_last_seq: number;
  view_message_count: number;
  view_last_message_at: Date | null;
  view_last_read_seq: number;
  view_last_read_count: number;
  view_hidden: number;
}

function toView(row: ViewRow): RoomView {
  return {
    id: fromBinary(row.view_id),
    type: row.view_type,
    name: row.view_name,
    createdBy: row.view_created_by,
    createdAt: row.view_created_at,
    sortAt: row.view_sort_at,
    lastSeq: row.view_last_seq,
    messageCount: row.view_message_count,
    lastMessageAt: row.view_last_message_at,
    lastReadSeq: row.view_last_read_seq,
    lastReadCount: row.view_last_read_count,
    hidden: row.view_hidden === 1,
    // The left join found nothing: an empty room.
    lastEntry: (row.id as Buffer | null) === null ? null : toEntry(row),
  };
}

// The text of the writer's two round trips (spec 04 §4.2). Values go in through the driver's escape only, ids as hexadecimal literals.
import { topics, type MessageRange } from '@parley/protocol';
import mysql from 'mysql2';
import type { RowDataPacket } from 'mysql2';
import { fromBinary } from './ids.ts';
import { clientKey, membershipKey, type BatchFacts, type NewMessage, type RoomBatch, type RoomState, type Stored } from './writer-plan.ts';

const { escape } = mysql;

/** UUID text -> X'…' literal. Throws on anything that is not a UUID, so that no other text can reach the statement. */
function idLiteral(id: string): string {
  const hex = id.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(hex)) throw new Error('not an id');
  return `X'${hex}'`;
}

const integer = (value: number): string => {
  if (!Number.isSafeInteger(value)) throw new Error('not an integer');
  return String(value);
};

/** DATETIME(3) literal in UTC. */
const timestamp = (iso: string): string => `'${iso.slice(0, 10)} ${iso.slice(11, 23)}'`;

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

/**
 * First trip: begin, lock the rooms in the order of their ids (so that two writers never wait for each other in a circle), then read
 * memberships and what is stored already. READ COMMITTED: what is read after the lock is what holds at the commit.
 */
export function lockAndReadSql(batch: readonly NewMessage[], { retry }: { retry: boolean }): string {
  const byRoom = groupBy(batch, (message) => message.roomId);
  const roomIds = [...byRoom.keys()].sort();
  const members: string[] = [];
  const known: string[] = [];
  for (const [roomId, messages] of byRoom) {
    const room = idLiteral(roomId);
    const senders = groupBy(messages, (message) => integer(message.senderId));
    members.push(`(room_id = ${room} AND user_id IN (${[...senders.keys()].join(',')}))`);
    for (const [sender, own] of senders) {
      const ids = own.flatMap((message) => (message.clientMsgId === undefined ? [] : [escape(message.clientMsgId)]));
      if (ids.length > 0) known.push(`(room_id = ${room} AND sender_id = ${sender} AND client_msg_id IN (${ids.join(',')}))`);
    }
  }
  // After a commit of unknown outcome the messages themselves may be stored, also those without a client id.
  if (retry) known.push(`id IN (${batch.map((message) => idLiteral(message.id)).join(',')})`);
  const storedColumns = 'SELECT room_id, sender_id, client_msg_id, id, seq, created_at FROM messages WHERE ';
  return [
    'BEGIN',
    `SELECT id, last_seq, message_count, last_message_at, member_version, hidden_count FROM rooms WHERE id IN (${roomIds.map(idLiteral).join(',')}) AND deleted_at IS NULL ORDER BY id FOR UPDATE`,
    `SELECT room_id, user_id FROM room_members WHERE (${members.join(' OR ')}) AND state = 'active'`,
    known.length > 0 ? storedColumns + known.join(' OR ') : `${storedColumns}FALSE`,
  ].join(';');
}

/** Reads the answers to {@link lockAndReadSql}. */
export function factsOf(answers: unknown): BatchFacts {
  const [, rooms, members, stored] = answers as [unknown, RowDataPacket[], RowDataPacket[], RowDataPacket[]];
  const storedByKey = new Map<string, Stored>();
  for (const row of stored) {
    const found: Stored = {
      id: fromBinary(row['id'] as Buffer),
      seq: row['seq'] as number,
      createdAt: (row['created_at'] as Date).toISOString(),
    };
    storedByKey.set(found.id, found);
    const clientMsgId = row['client_msg_id'] as string | null;
    if (clientMsgId !== null)
      storedByKey.set(clientKey(fromBinary(row['room_id'] as Buffer), row['sender_id'] as number, clientMsgId), found);
  }
  return {
    rooms: new Map(rooms.map((row) => [fromBinary(row['id'] as Buffer), roomState(row)])),
    members: new Set(members.map((row) => membershipKey(fromBinary(row['room_id'] as Buffer), row['user_id'] as number))),
    stored: storedByKey,
  };
}

function roomState(row: RowDataPacket): RoomState {
  const last = row['last_message_at'] as Date | null;
  return {
    lastSeq: row['last_seq'] as number,
    messageCount: row['message_count'] as number,
    memberVersion: row['member_version'] as number,
    hiddenCount: row['hidden_count'] as number,
    lastMessageAtMs: last?.getTime() ?? 0,
  };
}

const MESSAGE_COLUMNS =
  'room_id, seq, id, kind, message_no, sender_id, sender_name, content, message_type, metadata, client_msg_id, created_at';

/** Second trip: the entries, the rooms' heads, hidden rooms shown again, one outbox row a room, commit. */
export function writeSql(rooms: readonly RoomBatch[]): string {
  const rows: string[] = [];
  const heads: RoomHead[] = [];
  const hidden: string[] = [];
  const outbox: string[] = [];
  for (const { roomId, fromSeq, entries, messageCountBefore, unhide } of rooms) {
    const room = idLiteral(roomId);
    if (unhide) hidden.push(room);
    let at = '';
    entries.forEach((entry, index) => {
      at = timestamp(entry.created_at);
      const metadata = entry.metadata === null ? 'NULL' : escape(JSON.stringify(entry.metadata));
      const clientMsgId = entry.client_msg_id === undefined ? 'NULL' : escape(entry.client_msg_id);
      rows.push(
        `(${room},${integer(entry.seq)},${idLiteral(entry.id)},'message',${integer(messageCountBefore + index + 1)},${integer(entry.sender_id)},${escape(entry.sender_name)},` +
          `${escape(entry.content)},${escape(entry.message_type)},${metadata},${clientMsgId},${at})`,
      );
    });
    const toSeq = fromSeq + entries.length - 1;
    heads.push({ room, seq: integer(toSeq), count: integer(messageCountBefore + entries.length), at });
    const range: MessageRange = { room_id: roomId, from_seq: fromSeq, to_seq: toSeq };
    outbox.push(`('${topics.messages}',${escape(roomId)},${escape(JSON.stringify(range))},${at})`);
  }
  return [
    `INSERT INTO messages (${MESSAGE_COLUMNS}) VALUES ${rows.join(',')}`,
    updateHeads(heads),
    ...(hidden.length > 0 ? unhideRooms(hidden) : []),
    `INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ${outbox.join(',')}`,
    'COMMIT',
  ].join(';');
}

function unhideRooms(rooms: readonly string[]): string[] {
  return [
    `UPDATE room_members SET hidden_at = NULL WHERE room_id IN (${rooms.join(',')}) AND hidden_at IS NOT NULL`,
    `UPDATE rooms SET hidden_count = 0 WHERE id IN (${rooms.join(',')})`,
  ];
}

/** Literals of one room's new head. */
interface RoomHead {
  room: string;
  seq: string;
  count: string;
  at: string;
}

function updateHeads(heads: readonly RoomHead[]): string {
  const choose = (value: (head: RoomHead) => string) =>
    `CASE id ${heads.map((head) => `WHEN ${head.room} THEN ${value(head)}`).join(' ')} END`;
  return (
    `UPDATE rooms SET last_seq = ${choose((head) => head.seq)}, message_count = ${choose((head) => head.count)}, ` +
    `last_message_at = ${choose((head) => head.at)} WHERE id IN (${heads.map((head) => head.room).join(',')})`
  );
}

// What one batch of messages becomes, decided from what the database said under the rooms' locks. Pure: no I/O, no clock, no ids made here.
import type { Entry } from '@parley/protocol';

/** One message on its way into the log. `id` is given at submission, so that a retried batch can be recognised. */
export interface NewMessage {
  id: string;
  roomId: string;
  senderId: number;
  senderName: string;
  content: string;
  messageType: 'text' | 'image' | 'file';
  metadata: Record<string, unknown> | null;
  clientMsgId: string | undefined;
}

/** A room as the transaction has locked it. */
export interface RoomState {
  lastSeq: number;
  messageCount: number;
  memberVersion: number;
  /** members who have hidden the room: a message shows it to them again */
  hiddenCount: number;
  /** time of the last message, ms since 1970, or 0 */
  lastMessageAtMs: number;
}

/** What the log says of a stored message. */
export interface Stored {
  id: string;
  seq: number;
  createdAt: string;
}

/** What the database said, read under the locks of the rooms. */
export interface BatchFacts {
  rooms: ReadonlyMap<string, RoomState>;
  /** `membershipKey` of each sender who is an active member now */
  members: ReadonlySet<string>;
  /** stored messages by `clientKey`, and by id on a retry */
  stored: ReadonlyMap<string, Stored>;
}

/** Stored, now or before under the same client id; or why not. */
export type AppendResult =
  { ok: true; stored: Stored; duplicate: boolean } | { ok: false; code: 'not_a_member' | 'unavailable' | 'internal' };

/** The entries of one room that one transaction has stored. */
export interface RoomBatch {
  roomId: string;
  fromSeq: number;
  entries: Entry[];
  /** message_no of the first entry minus one */
  messageCountBefore: number;
  /** rooms.member_version at the commit */
  memberVersion: number;
  unhide: boolean;
}

/** What a transaction writes, and what each submission is told after its commit. */
export interface BatchPlan {
  /** result for each message of the batch, by position */
  results: AppendResult[];
  rooms: RoomBatch[];
}

/** Key of a member in maps of a transaction. */
export const membershipKey = (roomId: string, userId: number): string => `${roomId}/${userId}`;
/** Key of a client's message id in maps of a transaction: unique for a sender in a room. */
export const clientKey = (roomId: string, senderId: number, clientMsgId: string): string => `${roomId}/${senderId}/${clientMsgId}`;

/**
 * Gives each message of the batch a place or a refusal:
 * - a client id that is stored already, or comes twice in this batch, gets the first one's place and no seq of its own;
 * - a sender who is not an active member is refused, also in an unknown room;
 * - the others get the next seq of their room, in the order of the batch; time never runs backwards within a room.
 */
export function planBatch(batch: readonly NewMessage[], facts: BatchFacts, nowMs: number): BatchPlan {
  const results: AppendResult[] = [];
  const rooms = new Map<string, RoomBatch>();
  const inBatch = new Map<string, Stored>();
  for (const message of batch) {
    const key = message.clientMsgId === undefined ? undefined : clientKey(message.roomId, message.senderId, message.clientMsgId);
    const byClient = key === undefined ? undefined : (facts.stored.get(key) ?? inBatch.get(key));
    // A message of this very submission that an earlier try of unknown outcome has stored is not a duplicate to its sender.
    const own = facts.stored.get(message.id);
    const before = own ?? byClient;
    // Before the membership: who lost the ack and was removed since must not hear that the message was refused.
    if (before) {
      results.push({ ok: true, stored: before, duplicate: before.id !== message.id });
      continue;
    }
    const room = facts.rooms.get(message.roomId);
    if (!room || !facts.members.has(membershipKey(message.roomId, message.senderId))) {
      results.push({ ok: false, code: 'not_a_member' });
      continue;
    }
    const target = rooms.get(message.roomId) ?? openRoom(rooms, message.roomId, room);
    const entry = entryOf(message, target.fromSeq + target.entries.length, Math.max(nowMs, room.lastMessageAtMs));
    target.entries.push(entry);
    const stored = { id: entry.id, seq: entry.seq, createdAt: entry.created_at };
    if (key !== undefined) inBatch.set(key, stored);
    results.push({ ok: true, stored, duplicate: false });
  }
  return { results, rooms: [...rooms.values()] };
}

function openRoom(rooms: Map<string, RoomBatch>, roomId: string, state: RoomState): RoomBatch {
  const opened: RoomBatch = {
    roomId,
    fromSeq: state.lastSeq + 1,
    entries: [],
    messageCountBefore: state.messageCount,
    memberVersion: state.memberVersion,
    unhide: state.hiddenCount > 0,
  };
  rooms.set(roomId, opened);
  return opened;
}

function entryOf(message: NewMessage, seq: number, atMs: number): Entry {
  return {
    id: message.id,
    room_id: message.roomId,
    seq,
    kind: 'message',
    sender_id: message.senderId,
    sender_name: message.senderName,
    content: message.content,
    message_type: message.messageType,
    metadata: message.metadata,
    created_at: new Date(atMs).toISOString(),
    ...(message.clientMsgId === undefined ? {} : { client_msg_id: message.clientMsgId }),
  };
}

// What others are told of a room: after a commit, of moved read markers, and those who do not look at it.
import { parseRoomUpdates, type MarkResult, type RoomBatch, type RoomUpdate, type RoomUpdates } from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import { newsOf } from '@parley/live/commit';
import { RECEIPTS_MEMBERS_MAX } from '@parley/protocol';
import type { Fanout, PublishToRoom } from '../ports.ts';
import { JoinInProgress } from '../sockets/session.ts';
import type { LocalUsers } from '../users/local-users.ts';
import type { UserEvents } from '../users/user-events.ts';
import type { RoomRegistry } from './room-registry.ts';

export interface CommitAnnouncement {
  rooms: RoomRegistry;
  fanout: Fanout;
  updates: RoomUpdates;
  instance: string;
}

/**
 * After a commit of this replica's writer, in one turn: its own sockets through the room's sequencer, one payload a room for the others, and a
 * note for those members who do not look at the room.
 */
export function announceCommit({ rooms, fanout, updates, instance }: CommitAnnouncement, batches: readonly RoomBatch[]): void {
  for (const batch of batches) {
    const { channel, payload, frames, grown } = newsOf(batch, instance);
    rooms.accept(batch.roomId, { first: batch.fromSeq, frames });
    fanout.publish(channel, payload);
    updates.add(grown);
  }
}

export interface ReadMarkAnnouncement {
  userEvents: UserEvents;
  publishToRoom: PublishToRoom;
  /** active members of rooms; 'many' for those with more than `max` */
  members: (roomIds: readonly string[], limits: { max: number }) => Promise<ReadonlyMap<string, readonly number[] | 'many'>>;
}

/**
 * Moved read markers: the user's own devices stay in step, and in small rooms the others see how far everybody has read. `session` is the
 * socket that moved the marker: it knows already.
 */
export async function announceReadMarks(
  { userEvents, publishToRoom, members }: ReadMarkAnnouncement,
  moved: readonly (MarkResult & { session: string })[],
): Promise<void> {
  for (const { roomId, userId, lastReadSeq, unreadCount, session } of moved) {
    const read = { type: 'read', room_id: roomId, user_id: userId, seq: lastReadSeq };
    const unread = { type: 'unread_updated', room_id: roomId, unread_count: unreadCount, last_read_seq: lastReadSeq };
    userEvents.publish(userId, [read, unread], { except_session: session });
  }
  const roomIds = [...new Set(moved.map((mark) => mark.roomId))];
  const sizes = await members(roomIds, { max: RECEIPTS_MEMBERS_MAX });
  for (const { roomId, userId, lastReadSeq } of moved) {
    if (sizes.get(roomId) === 'many') continue;
    publishToRoom(roomId, [{ type: 'read', room_id: roomId, user_id: userId, seq: lastReadSeq }], { except_user: userId });
  }
}

/** `room_updated` to the members with sockets here that have not joined the room. */
export function deliverRoomUpdates(users: LocalUsers, text: string, log: Log): void {
  const updates = parseRoomUpdates(text);
  if (!updates) return log.warn({}, 'room updates on Redis are not in the known format');
  for (const update of updates) deliverUpdate(users, update);
}

function deliverUpdate(users: LocalUsers, { room_id, last_seq, last_message_at, members }: RoomUpdate): void {
  let frame: Buffer | undefined;
  for (const userId of members) {
    for (const session of users.of(userId)) {
      const place = session.room(room_id);
      if (session.state !== 'open' || (place && !(place instanceof JoinInProgress))) continue;
      frame ??= Buffer.from(JSON.stringify({ type: 'room_updated', room_id, last_seq, last_message_at }));
      session.sendFrames([frame]);
    }
  }
}

// Moved read markers: the user's own devices stay in step, and in small rooms the others see how far everybody has read.
import type { MarkResult } from '@parley/chat-store';
import { RECEIPTS_MEMBERS_MAX } from '@parley/protocol';
import type { PublishToRoom } from '../ports.ts';
import type { UserEvents } from '../users/user-events.ts';

export interface ReadMarkAnnouncement {
  userEvents: UserEvents;
  publishToRoom: PublishToRoom;
  /** active members of rooms; 'many' for those with more than `max` */
  members: (roomIds: readonly string[], limits: { max: number }) => Promise<ReadonlyMap<string, readonly number[] | 'many'>>;
}

/** `session` is the socket that moved the marker: it knows already. */
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

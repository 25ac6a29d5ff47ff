// Rooms as the REST answers show them: views and members from the database, joined with names.
import type { Entry, Member, Role, Room } from '@parley/protocol';

/** A room as one member sees it, without names. */
export interface RoomView {
  id: string;
  type: Room['room_type'];
  name: string | null;
  createdBy: number;
  createdAt: Date;
  /** Last message, or the creation while there is none: what the list is ordered by. */
  sortAt: Date;
  lastSeq: number;
  messageCount: number;
  lastMessageAt: Date | null;
  lastReadSeq: number;
  lastReadCount: number;
  hidden: boolean;
  lastEntry: Entry | null;
}

export interface RoomMember {
  roomId: string;
  userId: number;
  role: Role;
}

export function roomAnswers(views: readonly RoomView[], members: readonly RoomMember[], names: ReadonlyMap<number, string>): Room[] {
  const byRoom = new Map<string, Member[]>(views.map((view) => [view.id, []]));
  for (const { roomId, userId, role } of members) {
    byRoom.get(roomId)?.push(memberAnswer({ userId, role }, names));
  }
  return views.map((view) => roomAnswer(view, byRoom.get(view.id) ?? []));
}

export function memberAnswer({ userId, role }: Pick<RoomMember, 'userId' | 'role'>, names: ReadonlyMap<number, string>): Member {
  return { user_id: userId, name: names.get(userId) ?? `user ${userId}`, role };
}

function roomAnswer(view: RoomView, members: Member[]): Room {
  return {
    id: view.id,
    room_type: view.type,
    name: view.name,
    created_by: view.createdBy,
    created_at: view.createdAt.toISOString(),
    last_seq: view.lastSeq,
    last_message_at: view.lastMessageAt?.toISOString() ?? null,
    // Own messages count as unread until they are marked: nothing is written per member when a message is sent (spec 04 §4.1).
    unread_count: Math.max(0, view.messageCount - view.lastReadCount),
    last_read_seq: view.lastReadSeq,
    is_hidden: view.hidden,
    last_message: view.lastEntry,
    members,
  };
}

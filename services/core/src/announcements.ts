// What live sockets are told after a change by REST, beside the entries of the log. Each user gets each frame once.
import type { Entry, Invitation, InvitationReceivedFrame, InvitationUpdatedFrame, Room, RoomCreatedFrame } from '@parley/protocol';
import { RECEIPTS_MEMBERS_MAX } from '@parley/protocol';
import type { MarkResult } from '@parley/chat-store';
import type { Actor, Announcer, Answer, RoomChange, Withdrawn } from './ports.ts';

/** To the members from the start, on all of their devices: the caller's others as well. */
export async function announceRoom(announcer: Announcer, room: Room): Promise<void> {
  const frame: RoomCreatedFrame = {
    type: 'room_created',
    room_id: room.id,
    room_name: room.name,
    room_type: room.room_type,
    created_by: room.created_by,
  };
  await announcer.users(
    room.members.map((member) => member.user_id),
    [frame],
  );
}

export async function announceInvitations(announcer: Announcer, inviter: Actor, invitations: readonly Invitation[]): Promise<void> {
  const frameOf = ({ id, room_id, room_name, invited_by }: Invitation): InvitationReceivedFrame => ({
    ...{ type: 'invitation_received', invitation_id: id, room_id, room_name, invited_by },
    invited_by_name: inviter.name,
  });
  await Promise.all(invitations.map((invitation) => announcer.users([invitation.user_id], [frameOf(invitation)])));
}

/** To the devices of the invited user and of the inviter. */
export async function announceAnswer(announcer: Announcer, invitation: Invitation, answer: Answer): Promise<void> {
  const { id, room_id, user_id, invited_by } = invitation;
  await updated(announcer, { invitationId: id, roomId: room_id, userId: user_id, invitedBy: invited_by }, answer);
}

export async function announceWithdrawn(announcer: Announcer, withdrawn: readonly Withdrawn[]): Promise<void> {
  await Promise.all(withdrawn.map((each) => updated(announcer, each, 'cancelled')));
}

async function updated(announcer: Announcer, about: Withdrawn, state: InvitationUpdatedFrame['state']): Promise<void> {
  const { invitationId, roomId, userId, invitedBy } = about;
  const frame: InvitationUpdatedFrame = {
    ...{ type: 'invitation_updated', invitation_id: invitationId, room_id: roomId, user_id: userId },
    state,
  };
  await announcer.users([userId, invitedBy], [frame]);
}

/** The entry, and the invitations that ended with the change. Returns the entry. */
export async function announceChange(announcer: Announcer, change: RoomChange): Promise<Entry> {
  await announcer.change(change);
  await announceWithdrawn(announcer, change.withdrawn ?? []);
  return change.entry;
}

/** The user's devices stay in step, and in small rooms the others see how far everybody has read: as for a `read` by socket. */
export async function announceReadMark(
  announcer: Announcer,
  { roomId, userId, lastReadSeq, unreadCount }: MarkResult,
  members: (limits: { max: number }) => Promise<readonly number[] | 'many'>,
): Promise<void> {
  const read = { type: 'read', room_id: roomId, user_id: userId, seq: lastReadSeq };
  const unread = { type: 'unread_updated', room_id: roomId, unread_count: unreadCount, last_read_seq: lastReadSeq };
  await announcer.users([userId], [read, unread]);
  if ((await members({ max: RECEIPTS_MEMBERS_MAX })) !== 'many') await announcer.room(roomId, [read], userId);
}

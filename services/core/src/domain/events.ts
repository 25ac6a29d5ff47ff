// The events of topic chat.rooms as CloudEvents. Ids and time are arguments.
import {
  inEnvelope,
  type InvitationAnswered,
  type InvitationCreated,
  type MemberJoined,
  type MemberLeft,
  type MemberRemoved,
  type RoomChanged,
  type RoomCreated,
  type RoomEvent,
} from '@parley/protocol';

interface Occurrence {
  id: string;
  at: Date;
}

function event<E extends RoomEvent>(type: E['type'], { id, at }: Occurrence, data: E['data']) {
  return inEnvelope<E>({ id, source: '/parley/core', subject: data.room_id, time: at.toISOString() }, type, data);
}

export const roomCreated = (head: Occurrence, data: RoomCreated['data']) => event<RoomCreated>('chat.room.created', head, data);
export const invitationCreated = (head: Occurrence, data: InvitationCreated['data']) =>
  event<InvitationCreated>('chat.invitation.created', head, data);
export const invitationAnswered = (head: Occurrence, data: InvitationAnswered['data']) =>
  event<InvitationAnswered>('chat.invitation.answered', head, data);
export const memberJoined = (head: Occurrence, data: MemberJoined['data']) => event<MemberJoined>('chat.member.joined', head, data);
export const memberLeft = (head: Occurrence, data: MemberLeft['data']) => event<MemberLeft>('chat.member.left', head, data);
export const memberRemoved = (head: Occurrence, data: MemberRemoved['data']) => event<MemberRemoved>('chat.member.removed', head, data);
export const roomChanged = (head: Occurrence, data: RoomChanged['data']) => event<RoomChanged>('chat.room.changed', head, data);

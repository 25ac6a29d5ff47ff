// The events of topic chat.rooms as CloudEvents. Ids and time are arguments.
import type {
  InvitationAnswered,
  InvitationCreated,
  MemberJoined,
  MemberLeft,
  MemberRemoved,
  RoomChanged,
  RoomCreated,
  RoomEvent,
} from '@parley/protocol';

interface EventHead {
  id: string;
  at: Date;
}

function envelope<E extends RoomEvent>(type: E['type'], { id, at }: EventHead, data: E['data']) {
  return {
    specversion: '1.0' as const,
    id,
    source: '/parley/core',
    type,
    subject: data.room_id,
    time: at.toISOString(),
    datacontenttype: 'application/json' as const,
    data,
  };
}

export const roomCreated = (head: EventHead, data: RoomCreated['data']) => envelope<RoomCreated>('chat.room.created', head, data);
export const invitationCreated = (head: EventHead, data: InvitationCreated['data']) =>
  envelope<InvitationCreated>('chat.invitation.created', head, data);
export const invitationAnswered = (head: EventHead, data: InvitationAnswered['data']) =>
  envelope<InvitationAnswered>('chat.invitation.answered', head, data);
export const memberJoined = (head: EventHead, data: MemberJoined['data']) => envelope<MemberJoined>('chat.member.joined', head, data);
export const memberLeft = (head: EventHead, data: MemberLeft['data']) => envelope<MemberLeft>('chat.member.left', head, data);
export const memberRemoved = (head: EventHead, data: MemberRemoved['data']) => envelope<MemberRemoved>('chat.member.removed', head, data);
export const roomChanged = (head: EventHead, data: RoomChanged['data']) => envelope<RoomChanged>('chat.room.changed', head, data);

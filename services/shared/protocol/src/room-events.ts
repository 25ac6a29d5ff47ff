// Events of topic chat.rooms: what happens to rooms, members and invitations.
import { Type, type Static } from '@sinclair/typebox';
import { RoomId } from './client-frames.ts';
import { cloudEvent } from './events.ts';
import { Role, RoomType, UserId } from './rest.ts';

/** A room was made. */
export const RoomCreated = cloudEvent(
  'chat.room.created',
  Type.Object({
    room_id: RoomId,
    room_type: RoomType,
    name: Type.Union([Type.String(), Type.Null()]),
    created_by: UserId,
    member_ids: Type.Array(UserId, { description: 'Who is a member from the start' }),
  }),
);
/** Somebody was invited to a room. */
export const InvitationCreated = cloudEvent(
  'chat.invitation.created',
  Type.Object({ invitation_id: Type.String(), room_id: RoomId, user_id: UserId, invited_by: UserId }),
);
/** An invitation was accepted, declined or withdrawn. */
export const InvitationAnswered = cloudEvent(
  'chat.invitation.answered',
  Type.Object({
    invitation_id: Type.String(),
    room_id: RoomId,
    user_id: UserId,
    answer: Type.Union([Type.Literal('accepted'), Type.Literal('declined'), Type.Literal('withdrawn')], {
      description: 'withdrawn: by the inviter, or because the room is gone',
    }),
  }),
);
const SystemSeq = Type.Integer({ minimum: 1, description: 'The system entry that tells of it' });
/** Somebody became a member. */
export const MemberJoined = cloudEvent('chat.member.joined', Type.Object({ room_id: RoomId, user_id: UserId, seq: SystemSeq }));
/** A member left. */
export const MemberLeft = cloudEvent('chat.member.left', Type.Object({ room_id: RoomId, user_id: UserId, seq: SystemSeq }));
/** A member was removed. */
export const MemberRemoved = cloudEvent(
  'chat.member.removed',
  Type.Object({ room_id: RoomId, user_id: UserId, by: UserId, seq: SystemSeq }),
);
/** A room was renamed or deleted, or a role in it changed. */
export const RoomChanged = cloudEvent(
  'chat.room.changed',
  Type.Object({
    room_id: RoomId,
    by: UserId,
    seq: SystemSeq,
    change: Type.Union([Type.Literal('name'), Type.Literal('role'), Type.Literal('deleted')]),
    name: Type.Optional(Type.String({ description: 'The new name' })),
    user_id: Type.Optional(Type.Integer({ minimum: 1, description: 'Whose role has changed' })),
    role: Type.Optional(Role),
  }),
);

export type RoomCreated = Static<typeof RoomCreated>;
export type InvitationCreated = Static<typeof InvitationCreated>;
export type InvitationAnswered = Static<typeof InvitationAnswered>;
export type MemberJoined = Static<typeof MemberJoined>;
export type MemberLeft = Static<typeof MemberLeft>;
export type MemberRemoved = Static<typeof MemberRemoved>;
export type RoomChanged = Static<typeof RoomChanged>;
/** Any event of `chat.rooms`. */
export type RoomEvent = RoomCreated | InvitationCreated | InvitationAnswered | MemberJoined | MemberLeft | MemberRemoved | RoomChanged;

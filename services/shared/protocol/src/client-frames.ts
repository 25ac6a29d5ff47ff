// Frames a client sends. Unknown extra fields are ignored, so that newer clients can talk to older servers.
import { Type, type Static } from '@sinclair/typebox';
import { HARD_MESSAGE_MAX_BYTES } from './limits.ts';

export const RoomId = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'UUID of a room, lower case',
  examples: ['01980a3e-7c11-7d2f-9b1e-4f6f8a3b2c1d'],
});
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Position in the room: dense, from 1' });
export const ClientMsgId = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'Id the client gives its message, once per message',
  examples: ['c-1'],
});
export const MessageType = Type.Union([Type.Literal('text'), Type.Literal('image'), Type.Literal('file')]);
export const Token = Type.String({ minLength: 1, maxLength: 8192 });

export const AuthFrame = Type.Object({ type: Type.Literal('auth'), token: Token });
export const JoinRoomFrame = Type.Object({
  type: Type.Literal('join_room'),
  room_id: RoomId,
  after_seq: Type.Optional(Seq),
  epoch: Type.Optional(Type.String({ maxLength: 64 })),
});
export const LeaveRoomFrame = Type.Object({ type: Type.Literal('leave_room'), room_id: RoomId });
export const MessageFrame = Type.Object({
  type: Type.Literal('message'),
  room_id: RoomId,
  content: Type.String({ minLength: 1, maxLength: HARD_MESSAGE_MAX_BYTES }),
  message_type: Type.Optional(MessageType),
  metadata: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
  client_msg_id: Type.Optional(ClientMsgId),
});
export const ReadFrame = Type.Object({ type: Type.Literal('read'), room_id: RoomId, seq: Seq });
export const TypingFrame = Type.Object({ type: Type.Literal('typing'), room_id: RoomId, is_typing: Type.Boolean() });
export const PingFrame = Type.Object({ type: Type.Literal('ping') });

export const clientFrames = {
  auth: AuthFrame,
  join_room: JoinRoomFrame,
  leave_room: LeaveRoomFrame,
  message: MessageFrame,
  read: ReadFrame,
  typing: TypingFrame,
  ping: PingFrame,
} as const;

export type AuthFrame = Static<typeof AuthFrame>;
export type JoinRoomFrame = Static<typeof JoinRoomFrame>;
export type LeaveRoomFrame = Static<typeof LeaveRoomFrame>;
export type MessageFrame = Static<typeof MessageFrame>;
export type ReadFrame = Static<typeof ReadFrame>;
export type TypingFrame = Static<typeof TypingFrame>;
export type PingFrame = Static<typeof PingFrame>;
export type ClientFrame = AuthFrame | JoinRoomFrame | LeaveRoomFrame | MessageFrame | ReadFrame | TypingFrame | PingFrame;

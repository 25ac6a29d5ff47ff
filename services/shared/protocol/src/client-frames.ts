// Frames a client sends. Unknown extra fields are ignored, so that newer clients can talk to older servers.
import { Type, type Static } from '@sinclair/typebox';
import { HARD_MESSAGE_MAX_BYTES } from './limits.ts';

/** A room's id, a UUID. */
export const RoomId = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'UUID of a room, lower case',
  examples: ['01980a3e-7c11-7d2f-9b1e-4f6f8a3b2c1d'],
});
/** Position of an entry in its room, from 1; 0 is before the first. */
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Position in the room: dense, from 1' });
/** Id that a client gives its message, so that it is stored once however often it is sent. */
export const ClientMsgId = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'Id the client gives its message, once per message',
  examples: ['c-1'],
});
/** What `content` is. */
export const MessageType = Type.Union([Type.Literal('text'), Type.Literal('image'), Type.Literal('file')]);
/** An access token. */
export const Token = Type.String({ minLength: 1, maxLength: 8192 });

/** Proves who the socket is: first, or with a fresh token later. */
export const AuthFrame = Type.Object({ type: Type.Literal('auth'), token: Token });
/** Asks for the entries of a room from a position on, and for what comes. */
export const JoinRoomFrame = Type.Object({
  type: Type.Literal('join_room'),
  room_id: RoomId,
  after_seq: Type.Optional(Seq),
  epoch: Type.Optional(Type.String({ maxLength: 64 })),
});
/** This socket looks at the room no longer; the membership stays. */
export const LeaveRoomFrame = Type.Object({ type: Type.Literal('leave_room'), room_id: RoomId });
/** Says something; answered by `ack` after the commit. */
export const MessageFrame = Type.Object({
  type: Type.Literal('message'),
  room_id: RoomId,
  content: Type.String({ minLength: 1, maxLength: HARD_MESSAGE_MAX_BYTES }),
  message_type: Type.Optional(MessageType),
  metadata: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
  client_msg_id: Type.Optional(ClientMsgId),
});
/** Moves the user's read marker forward. */
export const ReadFrame = Type.Object({ type: Type.Literal('read'), room_id: RoomId, seq: Seq });
/** The user types, or has stopped. */
export const TypingFrame = Type.Object({ type: Type.Literal('typing'), room_id: RoomId, is_typing: Type.Boolean() });
/** Asks for a `pong`. */
export const PingFrame = Type.Object({ type: Type.Literal('ping') });

/** Every frame of clients, by its type. */
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
/** Any frame of a client. */
export type ClientFrame = AuthFrame | JoinRoomFrame | LeaveRoomFrame | MessageFrame | ReadFrame | TypingFrame | PingFrame;

// Frames a server sends.
import { Type, type Static, type TLiteral } from '@sinclair/typebox';
import { ClientMsgId, RoomId, Seq } from './client-frames.ts';
import { errorCodes, type ErrorCodeName } from './error-codes.ts';

const Timestamp = Type.String({ description: 'RFC 3339, UTC, milliseconds' });
const UserId = Type.Integer({ minimum: 1 });
const names = Object.keys(errorCodes) as ErrorCodeName[];

export const WelcomeFrame = Type.Object({
  type: Type.Literal('welcome'),
  user_id: UserId,
  session_id: Type.String(),
  server: Type.String({ description: 'Name of the instance that holds the socket' }),
  protocol: Type.Literal('parley.v1'),
  heartbeat_ms: Type.Integer(),
  max_message_bytes: Type.Integer(),
  resume: Type.Literal(true),
});

/** One entry of a room's log, as every joined socket gets it and as history returns it. */
export const Entry = Type.Object({
  id: Type.String(),
  room_id: RoomId,
  seq: Seq,
  kind: Type.Union([Type.Literal('message'), Type.Literal('system')]),
  sender_id: UserId,
  sender_name: Type.String(),
  content: Type.String(),
  message_type: Type.Union([Type.Literal('text'), Type.Literal('image'), Type.Literal('file'), Type.Literal('system')]),
  metadata: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  created_at: Timestamp,
  client_msg_id: Type.Optional(ClientMsgId),
});

export const EntryFrame = Type.Composite([Type.Object({ type: Type.Literal('message') }), Entry]);

export const AckFrame = Type.Object({
  type: Type.Literal('ack'),
  client_msg_id: Type.Optional(ClientMsgId),
  room_id: RoomId,
  id: Type.String(),
  seq: Seq,
  created_at: Timestamp,
  duplicate: Type.Boolean({ description: 'true when this client_msg_id was stored before: the ack is the original one' }),
});

export const JoinedFrame = Type.Object({
  type: Type.Literal('joined'),
  room_id: RoomId,
  epoch: Type.String({ description: 'Lineage of the database; another value means that it was restored' }),
  seq: Seq,
  recovered: Type.Boolean({ description: 'true when everything after after_seq has been sent' }),
  replayed_from: Type.Optional(Seq),
  last_read_seq: Seq,
  unread_count: Type.Integer({ minimum: 0 }),
});

export const LeftFrame = Type.Object({ type: Type.Literal('left'), room_id: RoomId });
export const GapFrame = Type.Object({ type: Type.Literal('gap'), room_id: RoomId, from: Seq, to: Seq });
export const PongFrame = Type.Object({ type: Type.Literal('pong') });
export const TokenExpiringFrame = Type.Object({ type: Type.Literal('token_expiring'), expires_in_ms: Type.Integer({ minimum: 0 }) });
export const ReconnectFrame = Type.Object({
  type: Type.Literal('reconnect'),
  after_ms: Type.Integer({ minimum: 0 }),
  reason: Type.Union([Type.Literal('drain'), Type.Literal('rebalance')]),
});
export const ErrorFrame = Type.Object({
  type: Type.Literal('error'),
  code: Type.Union(names.map((name) => Type.Literal(name)) as [TLiteral<ErrorCodeName>, ...TLiteral<ErrorCodeName>[]]),
  message: Type.String(),
  retryable: Type.Boolean(),
  retry_after_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  room_id: Type.Optional(RoomId),
  client_msg_id: Type.Optional(ClientMsgId),
  details: Type.Optional(Type.Object({ path: Type.String(), message: Type.String() })),
});

export const serverFrames = {
  welcome: WelcomeFrame,
  message: EntryFrame,
  ack: AckFrame,
  joined: JoinedFrame,
  left: LeftFrame,
  gap: GapFrame,
  pong: PongFrame,
  token_expiring: TokenExpiringFrame,
  reconnect: ReconnectFrame,
  error: ErrorFrame,
} as const;

export type Entry = Static<typeof Entry>;
export type EntryFrame = Static<typeof EntryFrame>;
export type AckFrame = Static<typeof AckFrame>;
export type JoinedFrame = Static<typeof JoinedFrame>;
export type ErrorFrame = Static<typeof ErrorFrame>;
export type ServerFrame =
  | Static<typeof WelcomeFrame>
  | EntryFrame
  | AckFrame
  | JoinedFrame
  | Static<typeof LeftFrame>
  | Static<typeof GapFrame>
  | Static<typeof PongFrame>
  | Static<typeof TokenExpiringFrame>
  | Static<typeof ReconnectFrame>
  | ErrorFrame;

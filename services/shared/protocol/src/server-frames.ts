// Frames a server sends.
import { Type, type Static, type TLiteral } from '@sinclair/typebox';
import { ClientMsgId, RoomId, Seq, TypingFrame } from './client-frames.ts';
import { errorCodes, type ErrorCodeName } from './error-codes.ts';

const Timestamp = Type.String({ description: 'RFC 3339, UTC, milliseconds' });
const UserId = Type.Integer({ minimum: 1 });
const names = Object.keys(errorCodes) as ErrorCodeName[];

/** The socket is open; what it may do. */
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

/** An entry of a room, live or replayed. */
export const EntryFrame = Type.Composite([Type.Object({ type: Type.Literal('message') }), Entry]);

/** The message is committed under this id and position. */
export const AckFrame = Type.Object({
  type: Type.Literal('ack'),
  client_msg_id: Type.Optional(ClientMsgId),
  room_id: RoomId,
  id: Type.String(),
  seq: Seq,
  created_at: Timestamp,
  duplicate: Type.Boolean({ description: 'true when this client_msg_id was stored before: the ack is the original one' }),
});

/** The replay is over; what follows is live. */
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

/** The socket looks at the room no longer. */
export const LeftFrame = Type.Object({ type: Type.Literal('left'), room_id: RoomId });
/** Entries that the replay leaves out; REST has them. */
export const GapFrame = Type.Object({ type: Type.Literal('gap'), room_id: RoomId, from: Seq, to: Seq });
/** Answers `ping`. */
export const PongFrame = Type.Object({ type: Type.Literal('pong') });
/** The token ends soon: send a fresh one. */
export const TokenExpiringFrame = Type.Object({ type: Type.Literal('token_expiring'), expires_in_ms: Type.Integer({ minimum: 0 }) });
/** Connect again after a while: this replica lets its sockets go. */
export const ReconnectFrame = Type.Object({
  type: Type.Literal('reconnect'),
  after_ms: Type.Integer({ minimum: 0 }),
  reason: Type.Union([Type.Literal('drain'), Type.Literal('rebalance')]),
});
/** Something was refused; its code is one of `errorCodes`. */
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

/** Where a room of the receiver stands that this socket has not joined. At most one a room and second. */
export const RoomUpdatedFrame = Type.Object({
  type: Type.Literal('room_updated'),
  room_id: RoomId,
  last_seq: Seq,
  last_message_at: Timestamp,
});
/** A read marker has moved: on another device of the receiver, or of another member of a small room. */
export const ReadMarkFrame = Type.Object({ type: Type.Literal('read'), room_id: RoomId, user_id: UserId, seq: Seq });
/** Another device of the user has read further. */
export const UnreadUpdatedFrame = Type.Object({
  type: Type.Literal('unread_updated'),
  room_id: RoomId,
  unread_count: Type.Integer({ minimum: 0 }),
  last_read_seq: Seq,
});
/** Ends by itself after {@link TYPING_STOP_MS} without a new one. */
export const UserTypingFrame = Type.Composite([TypingFrame, Type.Object({ user_id: UserId, user_name: Type.String() })]);

/** Who of a room is online; of a large room only how many. */
export const RoomPresenceFrame = Type.Object({
  type: Type.Literal('room_presence'),
  room_id: RoomId,
  online_users: Type.Optional(Type.Array(UserId, { description: 'Members online anywhere in the cluster; absent in large rooms' })),
  online_count: Type.Integer({ minimum: 0 }),
});
const aboutUser = { room_id: RoomId, user_id: UserId, user_name: Type.String() };
/** A member came online. */
export const UserOnlineFrame = Type.Object({ type: Type.Literal('user_online'), ...aboutUser });
/** A member went offline. */
export const UserOfflineFrame = Type.Object({ type: Type.Literal('user_offline'), ...aboutUser, last_seen: Type.Optional(Timestamp) });

const by = Type.Optional(Type.Integer({ minimum: 1, description: 'User who did it, when it is not the user it is about' }));
/** Somebody became a member. */
export const MemberJoinedFrame = Type.Object({ type: Type.Literal('member_joined'), ...aboutUser, by });
/** A member left. */
export const MemberLeftFrame = Type.Object({ type: Type.Literal('member_left'), ...aboutUser, by });
/** A member was removed. */
export const MemberRemovedFrame = Type.Object({ type: Type.Literal('member_removed'), ...aboutUser, by });
/** The room was renamed or deleted, or a role in it changed. */
export const RoomChangedFrame = Type.Object({
  type: Type.Literal('room_changed'),
  ...aboutUser,
  by,
  change: Type.Union([Type.Literal('name'), Type.Literal('role'), Type.Literal('deleted')], { description: 'What has changed' }),
});

const RoomName = Type.Union([Type.String(), Type.Null()]);
/** The user is in a new room. */
export const RoomCreatedFrame = Type.Object({
  type: Type.Literal('room_created'),
  room_id: RoomId,
  room_name: RoomName,
  room_type: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
  created_by: UserId,
});
/** The user was invited. */
export const InvitationReceivedFrame = Type.Object({
  type: Type.Literal('invitation_received'),
  invitation_id: Type.String(),
  room_id: RoomId,
  room_name: RoomName,
  invited_by: UserId,
  invited_by_name: Type.String(),
});
/** An invitation was answered or withdrawn. */
export const InvitationUpdatedFrame = Type.Object({
  type: Type.Literal('invitation_updated'),
  invitation_id: Type.String(),
  room_id: RoomId,
  user_id: UserId,
  state: Type.Union([Type.Literal('accepted'), Type.Literal('declined'), Type.Literal('cancelled')]),
});

/** A frame was refused by a limit; when to try again, in seconds. */
export const RateLimitExceededFrame = Type.Object({
  type: Type.Literal('rate_limit_exceeded'),
  event_type: Type.Union([Type.Literal('message'), Type.Literal('room_action'), Type.Literal('connect')]),
  retry_after: Type.Number({ minimum: 0, description: 'Seconds until the next try can succeed' }),
  message: Type.String(),
  client_msg_id: Type.Optional(ClientMsgId),
  room_id: Type.Optional(RoomId),
});
/** The user has opened more connections than allowed; this one, the oldest, is closed with 4409. */
export const ConnectionReplacedFrame = Type.Object({ type: Type.Literal('connection_replaced'), message: Type.String() });

/** Every frame of the server, by its type. */
export const serverFrames = {
  welcome: WelcomeFrame,
  message: EntryFrame,
  ack: AckFrame,
  joined: JoinedFrame,
  left: LeftFrame,
  gap: GapFrame,
  read: ReadMarkFrame,
  unread_updated: UnreadUpdatedFrame,
  room_updated: RoomUpdatedFrame,
  typing: UserTypingFrame,
  room_presence: RoomPresenceFrame,
  user_online: UserOnlineFrame,
  user_offline: UserOfflineFrame,
  member_joined: MemberJoinedFrame,
  member_left: MemberLeftFrame,
  member_removed: MemberRemovedFrame,
  room_changed: RoomChangedFrame,
  room_created: RoomCreatedFrame,
  invitation_received: InvitationReceivedFrame,
  invitation_updated: InvitationUpdatedFrame,
  rate_limit_exceeded: RateLimitExceededFrame,
  connection_replaced: ConnectionReplacedFrame,
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
export type RoomPresenceFrame = Static<typeof RoomPresenceFrame>;
export type UserOnlineFrame = Static<typeof UserOnlineFrame>;
export type UserOfflineFrame = Static<typeof UserOfflineFrame>;
export type RoomCreatedFrame = Static<typeof RoomCreatedFrame>;
export type InvitationReceivedFrame = Static<typeof InvitationReceivedFrame>;
export type InvitationUpdatedFrame = Static<typeof InvitationUpdatedFrame>;
/** Any frame of the server. */
export type ServerFrame = { [Name in keyof typeof serverFrames]: Static<(typeof serverFrames)[Name]> }[keyof typeof serverFrames];

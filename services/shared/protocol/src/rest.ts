// REST shapes: bodies, queries and answers of auth, core and gateway. Bodies refuse unknown fields.
import { Type, type Static, type TObject, type TProperties, type TSchema } from '@sinclair/typebox';
import { ClientMsgId, MessageType, RoomId, Seq } from './client-frames.ts';
import { HARD_MESSAGE_MAX_BYTES, MEMBER_IDS_MAX, PAGE_DEFAULT, PAGE_MAX } from './limits.ts';
import { Entry } from './server-frames.ts';

const strict = <P extends TProperties>(properties: P): TObject<P> => Type.Object(properties, { additionalProperties: false });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Timestamp = Type.String({ description: 'RFC 3339, UTC, milliseconds', examples: ['2026-01-02T03:04:05.678Z'] });
/** A user's id. */
export const UserId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** RFC 9457 problem details. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  request_id: Type.String(),
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  retry_after_ms: Type.Optional(Type.Integer()),
});

const Email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: '^\\s*[^\\s@]+@[^\\s@]+\\.[^\\s@]+\\s*$',
  examples: ['ada@example.org'],
});
const Password = Type.String({ minLength: 8, maxLength: 128 });
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S', examples: ['Ada'] });

/** A new account. */
export const RegisterBody = strict({ name: Name, email: Email, password: Password });
/** Address and password. */
export const LoginBody = strict({ email: Type.String({ maxLength: 254 }), password: Type.String({ maxLength: 128 }) });
/** A refresh token, which is used up by this. */
export const RefreshBody = strict({ refresh_token: Type.String({ minLength: 1, maxLength: 256 }) });
/** The password that is, and the one that shall be. */
export const PasswordBody = strict({ current_password: Type.String({ maxLength: 128 }), new_password: Password });
/** Tokens of a login and whose they are. */
export const AuthAnswer = Type.Object({
  token: Type.String(),
  refresh_token: Type.String(),
  expires_in: Type.Integer({ description: 'Life of the token in seconds' }),
  user: Type.Object({ id: UserId, name: Type.String(), email: Type.String() }),
});

/** A JSON Web Key Set (RFC 7517) with Ed25519 keys (RFC 8037). */
export const PublicKeys = Type.Object({
  keys: Type.Array(Type.Object({ kty: Type.String(), crv: Type.String(), x: Type.String(), kid: Type.String() })),
});

/** What an API key may do. */
export const ApiKeyScope = Type.Union([Type.Literal('auth'), Type.Literal('admin')]);
/** Name and scopes of a new API key. */
export const CreateApiKeyBody = strict({ name: Name, scopes: Type.Array(ApiKeyScope, { minItems: 1, uniqueItems: true }) });
/** An API key as it is shown, without the key itself. */
export const ApiKey = Type.Object({
  id: Type.Integer({ minimum: 1 }),
  prefix: Type.String({ description: 'Begin of the key, to know it by' }),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  created_at: Timestamp,
  last_used_at: nullable(Timestamp),
  revoked_at: nullable(Timestamp),
});
/** A new API key. */
export const ApiKeyCreated = Type.Object({ ...ApiKey.properties, key: Type.String({ description: 'Shown this once' }) });
/** In the order of their ids, with revoked ones. */
export const ApiKeyList = Type.Object({ api_keys: Type.Array(ApiKey), next_cursor: nullable(Type.String()) });

/** A user as others see them. */
export const User = Type.Object({
  id: UserId,
  name: Type.String(),
  email: Type.Optional(Type.String({ description: 'Only for oneself' })),
});

/** A page: how many, and behind what. */
export const PageQuery = strict({
  limit: Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT }),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
});
/** A search of users by name. */
export const UsersQuery = strict({
  ...PageQuery.properties,
  query: Type.Optional(Type.String({ maxLength: 100, description: 'Part of a name, in upper or lower case' })),
});
/** In the order of their ids, without disabled ones. */
export const UserList = Type.Object({ users: Type.Array(User), next_cursor: nullable(Type.String()) });

/** Two people, or a group. */
export const RoomType = Type.Union([Type.Literal('direct'), Type.Literal('group')]);
const RoomName = Type.String({ minLength: 1, maxLength: 120, pattern: '\\S', examples: ['Engines'] });
/** A new group and whom it begins with. */
export const CreateRoomBody = strict({
  room_type: RoomType,
  name: Type.Optional(RoomName),
  member_ids: Type.Array(UserId, { maxItems: MEMBER_IDS_MAX, uniqueItems: true }),
});
/** The other one of a direct room. */
export const CreateDirectBody = strict({ other_user_id: UserId });
/** A group's new name. */
export const RenameRoomBody = strict({ name: RoomName });
/** What a member may do in a room. */
export const Role = Type.Union([Type.Literal('admin'), Type.Literal('member')]);
/** A member's new role. */
export const RoleBody = strict({ role: Role });
/** A member of a room. */
export const Member = Type.Object({ user_id: UserId, name: Type.String(), role: Role });
/** In the order of the users' ids. */
export const MemberList = Type.Object({ members: Type.Array(Member), next_cursor: nullable(Type.String()) });
/** Whom to invite. */
export const InviteBody = strict({ user_ids: Type.Array(UserId, { minItems: 1, maxItems: MEMBER_IDS_MAX, uniqueItems: true }) });
/** A room as one of its members sees it. */
export const Room = Type.Object({
  id: RoomId,
  room_type: RoomType,
  name: nullable(Type.String()),
  created_by: UserId,
  created_at: Timestamp,
  last_seq: Seq,
  last_message_at: nullable(Timestamp),
  unread_count: Type.Integer({ minimum: 0 }),
  last_read_seq: Seq,
  is_hidden: Type.Boolean({ description: 'Hidden by the caller until somebody writes' }),
  last_message: nullable(Entry),
  members: Type.Array(Member, { description: 'The first members, at most 100' }),
});
/** A page of the user's rooms. */
export const RoomsQuery = strict({
  ...PageQuery.properties,
  include_hidden: Type.Boolean({ default: false }),
});
/** A page of rooms, the last active first. */
export const RoomList = Type.Object({ rooms: Type.Array(Room), next_cursor: nullable(Type.String()) });
/** A page of a room's entries, before or after a position. */
export const MessagesQuery = strict({
  limit: Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT }),
  before_seq: Type.Optional(Seq),
  after_seq: Type.Optional(Seq),
});
/** Newest first by default and with before_seq, oldest first with after_seq. */
export const MessageList = Type.Object({ messages: Type.Array(Entry), has_more: Type.Boolean() });
/** A message over REST, as in a `message` frame. */
export const SendMessageBody = strict({
  content: Type.String({ minLength: 1, maxLength: HARD_MESSAGE_MAX_BYTES }),
  message_type: Type.Optional(MessageType),
  metadata: Type.Optional(nullable(Type.Record(Type.String(), Type.Unknown()))),
  client_msg_id: Type.Optional(ClientMsgId),
});
/** Without a seq: everything that is there. */
export const MarkReadBody = strict({ seq: Type.Optional(Seq) });
/** The marker as it stands, and what is unread behind it. */
export const MarkReadAnswer = Type.Object({ room_id: RoomId, last_read_seq: Seq, unread_count: Type.Integer({ minimum: 0 }) });

/** An invitation as it is shown. */
export const Invitation = Type.Object({
  id: Type.String(),
  room_id: RoomId,
  room_name: nullable(Type.String()),
  user_id: UserId,
  invited_by: UserId,
  state: Type.Union([Type.Literal('pending'), Type.Literal('accepted'), Type.Literal('declined'), Type.Literal('withdrawn')]),
  created_at: Timestamp,
});
/** A page of invitations. */
export const InvitationList = Type.Object({ invitations: Type.Array(Invitation), next_cursor: nullable(Type.String()) });

/** What POST to the members of a room answers: a new invitation for each user, or the one that waits already. */
export const InvitationsSent = Type.Object({ invitations: Type.Array(Invitation) });
const ONE_USER_ID = '[1-9][0-9]{0,14}';
const PRESENCE_IDS_MAX = 100;
/** Of which users it is asked whether they are online. */
export const PresenceQuery = strict({
  user_ids: Type.String({
    pattern: `^${ONE_USER_ID}(,${ONE_USER_ID}){0,${PRESENCE_IDS_MAX - 1}}$`,
    description: `Up to ${PRESENCE_IDS_MAX} ids of users, with commas between`,
    examples: ['1,2,3'],
  }),
});
/** Who of them is online, and when the others went. */
export const PresenceAnswer = Type.Object({
  users: Type.Array(
    Type.Object({
      user_id: UserId,
      online: Type.Boolean(),
      last_seen: Type.Optional({ ...Timestamp, description: 'When the user went offline' }),
    }),
  ),
});
/** A ticket for one connection, in the place of a token in a URL. */
export const TicketAnswer = Type.Object({
  ticket: Type.String({ description: 'For /api/ws?ticket=, once' }),
  expires_in: Type.Integer({ description: 'Seconds' }),
});

/** What `GET /api/health` answers. */
export const HealthAnswer = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('draining')]),
  service: Type.String(),
  instance: Type.String(),
  version: Type.String(),
  connections: Type.Optional(Type.Integer({ minimum: 0 })),
});

export type Problem = Static<typeof Problem>;
export type RegisterBody = Static<typeof RegisterBody>;
export type LoginBody = Static<typeof LoginBody>;
export type RefreshBody = Static<typeof RefreshBody>;
export type PasswordBody = Static<typeof PasswordBody>;
export type AuthAnswer = Static<typeof AuthAnswer>;
export type ApiKeyScope = Static<typeof ApiKeyScope>;
export type CreateApiKeyBody = Static<typeof CreateApiKeyBody>;
export type ApiKey = Static<typeof ApiKey>;
export type ApiKeyCreated = Static<typeof ApiKeyCreated>;
export type ApiKeyList = Static<typeof ApiKeyList>;
export type User = Static<typeof User>;
export type UsersQuery = Static<typeof UsersQuery>;
export type UserList = Static<typeof UserList>;
export type CreateRoomBody = Static<typeof CreateRoomBody>;
export type Member = Static<typeof Member>;
export type MemberList = Static<typeof MemberList>;
export type Role = Static<typeof Role>;
export type Room = Static<typeof Room>;
export type RoomList = Static<typeof RoomList>;
export type PageQuery = Static<typeof PageQuery>;
export type MessagesQuery = Static<typeof MessagesQuery>;
export type MessageList = Static<typeof MessageList>;
export type SendMessageBody = Static<typeof SendMessageBody>;
export type MarkReadAnswer = Static<typeof MarkReadAnswer>;
export type InvitationsSent = Static<typeof InvitationsSent>;
export type PresenceAnswer = Static<typeof PresenceAnswer>;
export type TicketAnswer = Static<typeof TicketAnswer>;
export type Invitation = Static<typeof Invitation>;
export type InvitationList = Static<typeof InvitationList>;
export type HealthAnswer = Static<typeof HealthAnswer>;

// What core's routes need from outside: who users are, where rooms and invitations are kept, how live sockets hear of a change.
import type { MarkResult, ReadMark } from '@parley/chat-store';
import type { Identity } from '@parley/kit/tokens';
import type { Entry, Invitation, MessagesQuery, Role } from '@parley/protocol';
import type { RoomCursor, InvitationCursor } from './domain/cursor.ts';
import type { AnswerRefusal } from './domain/invitation-answer.ts';
import type { RoomMember, RoomView } from './domain/room-answer.ts';
import type { DirectPlan, GroupPlan } from './domain/room-plan.ts';

/** Who acts, from the verified token. */
export interface Actor {
  id: number;
  name: string;
}

/** A user as the user database has it. `email` is shown to the user alone. */
export interface Account {
  id: number;
  name: string;
  email: string;
}

/** Who changes something, and in which room. */
export interface Place {
  roomId: string;
  actor: Actor;
}

/** A committed change that the room's log tells of. */
export interface RoomChange {
  entry: Entry;
  /** rooms.member_version at the commit */
  memberVersion: number;
  /** invitations that ended with it */
  withdrawn?: Withdrawn[];
}

/** An invitation that can no longer be answered, and whom it concerned. */
export interface Withdrawn {
  invitationId: string;
  roomId: string;
  userId: number;
  invitedBy: number;
}

/** Who people are. All reject with AppError unavailable when the user database is away. */
export interface Users {
  /** Read from the database, never from the cache: it carries the e-mail address. */
  account(id: number): Promise<Account | undefined>;
  /** Names of those that exist; unknown ids are absent. Disabled users keep their name: the log shows it. */
  names(ids: readonly number[]): Promise<Map<number, string>>;
  /** Those of `ids` that exist and are not disabled, from the database. */
  active(ids: readonly number[]): Promise<Set<number>>;
  /** Those that are not disabled and have `query` in their name, in the order of their ids. */
  search(page: { query?: string; after?: number; limit: number }): Promise<{ id: number; name: string }[]>;
}

/** Who is online, as Redis has it. */
export interface Presence {
  /** Throws AppError unavailable when nobody knows at present. */
  of(userIds: readonly number[]): Promise<Map<number, UserPresence>>;
}

/** `lastSeen`: when the user went offline, if that is still known. */
export interface UserPresence {
  online: boolean;
  lastSeen?: Date;
}

/** Rooms as MySQL has them. All reject with AppError unavailable, or overloaded, when MySQL is away or busy. */
export interface Rooms {
  /** `created: false`: the pair had a room already, however many calls come at once. */
  createDirect(creator: number, plan: DirectPlan, now: Date): Promise<{ roomId: string; created: boolean }>;
  createGroup(creator: number, plan: GroupPlan, now: Date): Promise<{ roomId: string; invitations: Invitation[] }>;
  /** Rooms in which the user is active, newest activity first. */
  list(userId: number, page: { limit: number; cursor?: RoomCursor; includeHidden: boolean }): Promise<RoomView[]>;
  find(userId: number, roomId: string): Promise<RoomView | undefined>;
  /** The first members of each room, in one query. */
  members(roomIds: readonly string[]): Promise<RoomMember[]>;
  /** undefined: not an active member, or no such room. */
  entries(userId: number, roomId: string, query: MessagesQuery): Promise<Entry[] | undefined>;
  // What follows throws AppError when the actor may not do it.
  /** undefined: nothing to change. */
  rename(place: Place, name: string, now: Date): Promise<RoomChange | undefined>;
  delete(place: Place, now: Date): Promise<RoomChange>;
  setHidden(userId: number, roomId: string, hidden: boolean, now: Date): Promise<void>;
  markRead(mark: ReadMark): Promise<MarkResult>;
  /** Those of `others` who share a room with the user. */
  sharing(userId: number, others: readonly number[]): Promise<Set<number>>;
  /** Ids of the active members; 'many' when there are more than `max`. */
  memberIds(roomId: string, limits: { max: number }): Promise<readonly number[] | 'many'>;
}

/** All but `list` are one transaction each and throw AppError when the actor may not do it. */
export interface Memberships {
  /** Active members in the order of their ids. */
  list(userId: number, roomId: string, page: { limit: number; after?: number }): Promise<{ userId: number; role: Role }[]>;
  leave(place: Place, now: Date): Promise<RoomChange>;
  remove(place: Place, target: Actor, now: Date): Promise<RoomChange>;
  /** undefined: nothing to change. */
  setRole(place: Place, target: Actor, role: Role, now: Date): Promise<RoomChange | undefined>;
}

/** What the invited one says. */
export type Answer = 'accepted' | 'declined';
/** `change`: the log entry of who joined; undefined after a no. */
export type Answered = { ok: true; invitation: Invitation; change: RoomChange | undefined } | { ok: false; error: AnswerRefusal };

/** `waiting`: these were invited before and have not answered. */
export interface InvitationsMade {
  waiting: Invitation[];
  created: Invitation[];
}

/** Invitations as MySQL has them; they fail as {@link Rooms} do. */
export interface Invitations {
  /** Waiting ones of this user, newest first. */
  pending(userId: number, page: { limit: number; cursor?: InvitationCursor }): Promise<Invitation[]>;
  /** One transaction: the answer, the membership, the log entry, the events. */
  answer(invitationId: string, actor: Actor, answer: Answer, now: Date): Promise<Answered>;
  /** Throws AppError when the actor may not invite, or one of the users is a member. */
  invite(place: Place, userIds: readonly number[], now: Date): Promise<InvitationsMade>;
  /** Throws AppError when it is not the inviter's, or has been answered. */
  withdraw(invitationId: string, inviter: number, now: Date): Promise<Withdrawn>;
}

/** A message before it has a place. `content` and `metadata` were checked; `clientMsgId` makes a repeat harmless. */
export interface NewLogMessage {
  roomId: string;
  sender: Actor;
  content: string;
  messageType: 'text' | 'image' | 'file';
  metadata: Record<string, unknown> | null;
  clientMsgId: string | undefined;
}

/** The log of a room, written by the same writer as chat's. */
export interface MessageLog {
  /** Resolves after the commit; the replicas are told by then. Throws AppError: not_a_member, overloaded, unavailable. */
  append(message: NewLogMessage): Promise<{ entry: Entry; duplicate: boolean }>;
}

/** Short-lived tickets for sockets of browsers. */
export interface Tickets {
  create(identity: Identity): Promise<{ ticket: string; expiresInSeconds: number }>;
}

/** Tells live sockets. A failure is logged and not the caller's: replicas find entries by their seq, the rest is a hint. */
export interface Announcer {
  change(change: Pick<RoomChange, 'entry' | 'memberVersion'>): Promise<void>;
  /** To all sockets of these users, on every replica. */
  users(userIds: readonly number[], frames: readonly object[]): Promise<void>;
  /** To the joined sockets of the room but those of `exceptUser`. */
  room(roomId: string, frames: readonly object[], exceptUser: number): Promise<void>;
}

// What core's routes need from outside: who users are, where rooms and invitations are kept, how live sockets hear of a change.
import type { Entry, Invitation, MessagesQuery } from '@parley/protocol';
import type { RoomCursor, InvitationCursor } from './domain/cursor.ts';
import type { AnswerRefusal } from './domain/invitation-answer.ts';
import type { RoomMember, RoomView } from './domain/room-answer.ts';
import type { DirectPlan, GroupPlan } from './domain/room-plan.ts';

/** Who acts, from the verified token. */
export interface Actor {
  id: number;
  name: string;
}

export interface Account {
  id: number;
  name: string;
  email: string;
}

export interface Users {
  /** Read from the database, never from the cache: it carries the e-mail address. */
  account(id: number): Promise<Account | undefined>;
  /** Names of those that exist; unknown ids are absent. Disabled users keep their name: the log shows it. */
  names(ids: readonly number[]): Promise<Map<number, string>>;
  /** Those of `ids` that exist and are not disabled, from the database. */
  active(ids: readonly number[]): Promise<Set<number>>;
}

export interface Rooms {
  /** `created: false`: the pair had a room already, however many calls come at once. */
  createDirect(creator: number, plan: DirectPlan, now: Date): Promise<{ roomId: string; created: boolean }>;
  createGroup(creator: number, plan: GroupPlan, now: Date): Promise<{ roomId: string }>;
  /** Rooms in which the user is active and that are not hidden, newest activity first. */
  list(userId: number, page: { limit: number; cursor?: RoomCursor }): Promise<RoomView[]>;
  find(userId: number, roomId: string): Promise<RoomView | undefined>;
  /** The first members of each room, in one query. */
  members(roomIds: readonly string[]): Promise<RoomMember[]>;
  /** undefined: not an active member, or no such room. */
  entries(userId: number, roomId: string, query: MessagesQuery): Promise<Entry[] | undefined>;
}

export type Answer = 'accepted' | 'declined';
export type Answered = { ok: true; invitation: Invitation; entry: Entry | undefined } | { ok: false; error: AnswerRefusal };

export interface Invitations {
  /** Waiting ones of this user, newest first. */
  pending(userId: number, page: { limit: number; cursor?: InvitationCursor }): Promise<Invitation[]>;
  /** One transaction: the answer, the membership, the log entry, the events. */
  answer(invitationId: string, actor: Actor, answer: Answer, now: Date): Promise<Answered>;
}

export interface Announcer {
  /** Tells live sockets of a committed entry. A failure is not the caller's: replicas find the entry by its seq. */
  entry(entry: Entry): Promise<void>;
}

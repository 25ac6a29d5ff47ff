// What the routes of core share.
import { identityOf } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import type { BucketLimit, RateLimiter } from '@parley/kit/rate-limit';
import type { Room } from '@parley/protocol';
import type { RequestHandler, Response } from 'express';
import { roomAnswers, type RoomView } from '../domain/room-answer.ts';
import type { Actor, Announcer, Invitations, Memberships, MessageLog, Place, Presence, Rooms, Tickets, Users } from '../ports.ts';

export interface RouteContext {
  users: Users;
  rooms: Rooms;
  memberships: Memberships;
  invitations: Invitations;
  messages: MessageLog;
  tickets: Tickets;
  presence: Presence;
  announcer: Announcer;
  limiter: RateLimiter;
  messageLimit: BucketLimit;
  messageMaxBytes: number;
  requireUser: RequestHandler;
  now: () => Date;
}

export function actorOf(response: Response): Actor {
  const { userId, name } = identityOf(response);
  return { id: userId, name };
}
export const placeOf = (response: Response, roomId: string): Place => ({ roomId, actor: actorOf(response) });

/** The cursor of a list's query, if there is one. */
export function cursorOf<T>(text: string | undefined, decode: (text: string) => T | undefined): T | undefined {
  if (text === undefined) return undefined;
  const cursor = decode(text);
  if (cursor === undefined) throw new AppError('invalid_request', '/query/cursor: not a cursor of this list');
  return cursor;
}

/** Throws when one of them does not exist or is disabled. */
export async function requireUsers(users: Users, ids: readonly number[]): Promise<void> {
  const active = await users.active(ids);
  const unknown = ids.filter((id) => !active.has(id));
  if (unknown.length > 0) throw new AppError('user_not_found', `No such user: ${unknown.join(', ')}`);
}

/** One query for the members of all rooms, one look-up for all names. */
export async function withMembers({ rooms, users }: RouteContext, views: readonly RoomView[]): Promise<Room[]> {
  const members = await rooms.members(views.map((view) => view.id));
  return roomAnswers(views, members, await users.names(members.map((member) => member.userId)));
}

// REST of rooms and their logs.
import { addRoute, AppError, identityOf } from '@parley/kit';
import { CreateRoomBody, MessagesQuery, PageQuery, RoomId, type MessageList, type Room, type RoomList } from '@parley/protocol';
import { Type } from '@sinclair/typebox';
import type { Express, RequestHandler } from 'express';
import { decodeRoomCursor, encodeRoomCursor, pageOf } from '../domain/cursor.ts';
import { roomAnswers, type RoomView } from '../domain/room-answer.ts';
import { namedUsers, planRoom } from '../domain/room-plan.ts';
import type { Rooms, Users } from '../ports.ts';

const RoomPath = Type.Object({ id: RoomId });

export interface RoomRoutes {
  rooms: Rooms;
  users: Users;
  requireUser: RequestHandler;
  now: () => Date;
}

export function addRoomRoutes(app: Express, routes: RoomRoutes): void {
  const { rooms, requireUser } = routes;
  const before = [requireUser];
  addRoute(app, {
    method: 'post',
    path: '/api/rooms',
    before,
    body: CreateRoomBody,
    handle: ({ body, response }) => createRoom(routes, identityOf(response).userId, body),
  });
  addRoute(app, {
    method: 'get',
    path: '/api/rooms',
    before,
    query: PageQuery,
    handle: async ({ query, response }) => {
      const cursor = query.cursor === undefined ? undefined : decodeRoomCursor(query.cursor);
      if (query.cursor !== undefined && cursor === undefined)
        throw new AppError('invalid_request', '/query/cursor: not a cursor of this list');
      const views = await rooms.list(identityOf(response).userId, { limit: query.limit + 1, ...(cursor ? { cursor } : {}) });
      const { items, last } = pageOf(views, query.limit);
      const next_cursor = last ? encodeRoomCursor({ sortAtMs: last.sortAt.getTime(), id: last.id }) : null;
      return { body: { rooms: await withMembers(routes, items), next_cursor } satisfies RoomList };
    },
  });
  addRoute(app, {
    method: 'get',
    path: '/api/rooms/:id/messages',
    before,
    params: RoomPath,
    query: MessagesQuery,
    handle: async ({ params: { id }, query, response }) => {
      if (query.before_seq !== undefined && query.after_seq !== undefined)
        throw new AppError('invalid_request', '/query: give before_seq or after_seq, not both');
      const entries = await rooms.entries(identityOf(response).userId, id, { ...query, limit: query.limit + 1 });
      if (!entries) throw new AppError('not_a_member');
      return { body: { messages: entries.slice(0, query.limit), has_more: entries.length > query.limit } satisfies MessageList };
    },
  });
}

async function createRoom(routes: RoomRoutes, creator: number, body: CreateRoomBody) {
  const { rooms, users, now } = routes;
  const planned = planRoom(creator, body);
  if (!planned.ok) {
    const { path, message } = planned;
    throw new AppError('invalid_request', `${path}: ${message}`, { errors: [{ path, message }] });
  }
  const { plan } = planned;
  const named = namedUsers(plan);
  const active = await users.active(named);
  const unknown = named.filter((id) => !active.has(id));
  if (unknown.length > 0) throw new AppError('user_not_found', `No such user: ${unknown.join(', ')}`);
  const { roomId, created } =
    plan.type === 'direct'
      ? await rooms.createDirect(creator, plan, now())
      : { ...(await rooms.createGroup(creator, plan, now())), created: true };
  const view = await rooms.find(creator, roomId);
  // Deleted, or left, between the two statements.
  if (!view) throw new AppError('conflict', 'The room has changed at this moment; try again');
  const [room] = await withMembers(routes, [view]);
  return { status: created ? 201 : 200, body: room };
}

/** One query for the members of all rooms, one look-up for all names. */
async function withMembers({ rooms, users }: RoomRoutes, views: readonly RoomView[]): Promise<Room[]> {
  const members = await rooms.members(views.map((view) => view.id));
  return roomAnswers(views, members, await users.names(members.map((member) => member.userId)));
}

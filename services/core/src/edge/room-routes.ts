// REST of rooms: create, list, look at, rename, delete.
import { addRoute, identityOf } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import { roomOperations, type CreateRoomBody, type Room, type RoomList } from '@parley/protocol';
import type { Express } from 'express';
import { announceChange, announceInvitations, announceRoom } from '../announcements.ts';
import { decodeRoomCursor, encodeRoomCursor, pageOf } from '../domain/cursor.ts';
import { namedUsers, planRoom } from '../domain/room-plan.ts';
import type { Actor } from '../ports.ts';
import { actorOf, cursorOf, placeOf, requireUsers, withMembers, type RouteContext } from './route-context.ts';

export function addRoomRoutes(app: Express, context: RouteContext): void {
  const { rooms, announcer, now } = context;
  const before = [context.requireUser];
  addRoute(app, {
    operation: roomOperations.createRoom,
    before,
    handle: ({ body, response }) => createRoom(context, actorOf(response), body),
  });
  addRoute(app, {
    operation: roomOperations.createDirectRoom,
    before,
    handle: ({ body: { other_user_id }, response }) =>
      createRoom(context, actorOf(response), { room_type: 'direct', member_ids: [other_user_id] }),
  });
  addRoute(app, {
    operation: roomOperations.listRooms,
    before,
    handle: async ({ query, response }) => {
      const cursor = cursorOf(query.cursor, decodeRoomCursor);
      const page = { limit: query.limit + 1, includeHidden: query.include_hidden, ...(cursor ? { cursor } : {}) };
      const { items, last } = pageOf(await rooms.list(identityOf(response).userId, page), query.limit);
      const next_cursor = last ? encodeRoomCursor({ sortAtMs: last.sortAt.getTime(), id: last.id }) : null;
      return { body: { rooms: await withMembers(context, items), next_cursor } satisfies RoomList };
    },
  });
  addRoute(app, {
    operation: roomOperations.getRoom,
    before,
    handle: async ({ params: { id }, response }) => ({ body: await showRoom(context, identityOf(response).userId, id) }),
  });
  addRoute(app, {
    operation: roomOperations.renameRoom,
    before,
    handle: async ({ params: { id }, body, response }) => {
      const change = await rooms.rename(placeOf(response, id), body.name.trim(), now());
      if (change) await announceChange(announcer, change);
      return { body: await showRoom(context, identityOf(response).userId, id) };
    },
  });
  addRoute(app, {
    operation: roomOperations.deleteRoom,
    before,
    handle: async ({ params: { id }, response }) => {
      await announceChange(announcer, await rooms.delete(placeOf(response, id), now()));
      return { status: 204 };
    },
  });
}

async function showRoom(context: RouteContext, userId: number, roomId: string): Promise<Room> {
  const view = await context.rooms.find(userId, roomId);
  const [room] = view ? await withMembers(context, [view]) : [];
  if (!room) throw new AppError('not_a_member');
  return room;
}

async function createRoom(context: RouteContext, creator: Actor, body: CreateRoomBody) {
  const { rooms, users, announcer, now } = context;
  const planned = planRoom(creator.id, body);
  if (!planned.ok) {
    const { path, message } = planned;
    throw new AppError('invalid_request', `${path}: ${message}`, { errors: [{ path, message }] });
  }
  const { plan } = planned;
  await requireUsers(users, namedUsers(plan));
  const { roomId, created, invitations } =
    plan.type === 'direct'
      ? { ...(await rooms.createDirect(creator.id, plan, now())), invitations: [] }
      : { ...(await rooms.createGroup(creator.id, plan, now())), created: true };
  const view = await rooms.find(creator.id, roomId);
  // Deleted, or left, between the two statements.
  if (!view) throw new AppError('conflict', 'The room has changed at this moment; try again');
  // Who opens a conversation wants to see it.
  if (view.hidden) await rooms.setHidden(creator.id, roomId, false, now());
  const [room] = await withMembers(context, [{ ...view, hidden: false }]);
  if (created && room) {
    await announceRoom(announcer, room);
    await announceInvitations(announcer, creator, invitations);
  }
  return { status: created ? 201 : 200, body: room };
}

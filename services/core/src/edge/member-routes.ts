// REST of a room's members, and of one's own place in a room.
import { addRoute, identityOf } from '@parley/kit/http';
import { memberOperations, roomOperations, type InvitationsSent, type Member, type MemberList } from '@parley/protocol';
import type { Express } from 'express';
import { announceChange, announceInvitations } from '../announcements.ts';
import { decodeUserCursor, encodeUserCursor, pageOf } from '../domain/cursor.ts';
import { memberAnswer } from '../domain/room-answer.ts';
import type { Actor } from '../ports.ts';
import { actorOf, cursorOf, placeOf, requireUsers, type RouteContext } from './route-context.ts';

export function addMemberRoutes(app: Express, context: RouteContext): void {
  addListAndInvite(app, context);
  addChanges(app, context);
  addOwnPlace(app, context);
}

function addListAndInvite(app: Express, { memberships, invitations, users, announcer, requireUser, now }: RouteContext): void {
  const before = [requireUser];
  addRoute(app, {
    operation: memberOperations.listMembers,
    before,
    handle: async ({ params: { id }, query, response }) => {
      const after = cursorOf(query.cursor, decodeUserCursor);
      const page = { limit: query.limit + 1, ...(after === undefined ? {} : { after }) };
      const { items, last } = pageOf(await memberships.list(identityOf(response).userId, id, page), query.limit);
      const names = await users.names(items.map((member) => member.userId));
      const next_cursor = last ? encodeUserCursor(last.userId) : null;
      return { body: { members: items.map((member) => memberAnswer(member, names)), next_cursor } satisfies MemberList };
    },
  });
  addRoute(app, {
    operation: memberOperations.inviteMembers,
    before,
    handle: async ({ params: { id }, body: { user_ids }, response }) => {
      await requireUsers(users, user_ids);
      const place = placeOf(response, id);
      const { waiting, created } = await invitations.invite(place, user_ids, now());
      await announceInvitations(announcer, place.actor, created);
      const body: InvitationsSent = { invitations: [...waiting, ...created].sort((a, b) => a.user_id - b.user_id) };
      return { status: created.length > 0 ? 201 : 200, body };
    },
  });
}

function addChanges(app: Express, context: RouteContext): void {
  const { memberships, announcer, requireUser, now } = context;
  const before = [requireUser];
  addRoute(app, {
    operation: memberOperations.removeMember,
    before,
    handle: async ({ params: { id, user_id }, response }) => {
      const place = placeOf(response, id);
      const change =
        user_id === place.actor.id
          ? await memberships.leave(place, now())
          : await memberships.remove(place, await named(context, user_id), now());
      await announceChange(announcer, change);
      return { status: 204 };
    },
  });
  addRoute(app, {
    operation: memberOperations.changeRole,
    before,
    handle: async ({ params: { id, user_id }, body: { role }, response }) => {
      const target = await named(context, user_id);
      const change = await memberships.setRole(placeOf(response, id), target, role, now());
      if (change) await announceChange(announcer, change);
      return { body: { user_id, name: target.name, role } satisfies Member };
    },
  });
}

function addOwnPlace(app: Express, { memberships, rooms, announcer, requireUser, now }: RouteContext): void {
  const before = [requireUser];
  addRoute(app, {
    operation: memberOperations.leaveRoom,
    before,
    handle: async ({ params: { id }, response }) => {
      await announceChange(announcer, await memberships.leave(placeOf(response, id), now()));
      return { status: 204 };
    },
  });
  for (const [operation, hidden] of [
    [roomOperations.hideRoom, true],
    [roomOperations.unhideRoom, false],
  ] as const) {
    addRoute(app, {
      operation,
      before,
      handle: async ({ params: { id }, response }) => {
        await rooms.setHidden(actorOf(response).id, id, hidden, now());
        return { status: 204 };
      },
    });
  }
}

/** The user an admin acts on, by name; one whose account is gone can still be removed. */
async function named({ users }: RouteContext, userId: number): Promise<Actor> {
  return { id: userId, name: (await users.names([userId])).get(userId) ?? `user ${userId}` };
}

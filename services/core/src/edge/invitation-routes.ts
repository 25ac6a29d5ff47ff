// REST of invitations: what waits for an answer, accept, decline, take back.
import { isId } from '@parley/chat-store';
import { addRoute, identityOf } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import { invitationOperations, type InvitationList } from '@parley/protocol';
import type { Express } from 'express';
import { announceAnswer, announceChange, announceWithdrawn } from '../announcements.ts';
import { decodeInvitationCursor, encodeInvitationCursor, pageOf } from '../domain/cursor.ts';
import { actorOf, cursorOf, type RouteContext } from './route-context.ts';

function known(id: string): string {
  if (!isId(id)) throw new AppError('invitation_not_found');
  return id.toLowerCase();
}

export function addInvitationRoutes(app: Express, { invitations, announcer, requireUser, now }: RouteContext): void {
  const before = [requireUser];
  addRoute(app, {
    operation: invitationOperations.listInvitations,
    before,
    handle: async ({ query, response }) => {
      const cursor = cursorOf(query.cursor, decodeInvitationCursor);
      const rows = await invitations.pending(identityOf(response).userId, { limit: query.limit + 1, ...(cursor ? { cursor } : {}) });
      const { items, last } = pageOf(rows, query.limit);
      return { body: { invitations: items, next_cursor: last ? encodeInvitationCursor(last) : null } satisfies InvitationList };
    },
  });
  for (const [operation, answer] of [
    [invitationOperations.acceptInvitation, 'accepted'],
    [invitationOperations.declineInvitation, 'declined'],
  ] as const) {
    addRoute(app, {
      operation,
      before,
      handle: async ({ params: { id }, response }) => {
        const answered = await invitations.answer(known(id), actorOf(response), answer, now());
        if (!answered.ok) throw new AppError(answered.error);
        if (answered.change) await announceChange(announcer, answered.change);
        await announceAnswer(announcer, answered.invitation, answer);
        return { body: answered.invitation };
      },
    });
  }
  addRoute(app, {
    operation: invitationOperations.withdrawInvitation,
    before,
    handle: async ({ params: { id }, response }) => {
      await announceWithdrawn(announcer, [await invitations.withdraw(known(id), actorOf(response).id, now())]);
      return { status: 204 };
    },
  });
}

// REST of invitations: what waits for an answer, accept, decline.
import { isId } from '@parley/chat-store';
import { addRoute, AppError, identityOf } from '@parley/kit';
import { PageQuery, type InvitationList } from '@parley/protocol';
import { Type } from '@sinclair/typebox';
import type { Express, RequestHandler } from 'express';
import { decodeInvitationCursor, encodeInvitationCursor, pageOf } from '../domain/cursor.ts';
import type { Announcer, Invitations } from '../ports.ts';

const InvitationPath = Type.Object({ id: Type.String({ maxLength: 100 }) });

export interface InvitationRoutes {
  invitations: Invitations;
  announcer: Announcer;
  requireUser: RequestHandler;
  now: () => Date;
}

export function addInvitationRoutes(app: Express, { invitations, announcer, requireUser, now }: InvitationRoutes): void {
  const before = [requireUser];
  addRoute(app, {
    method: 'get',
    path: '/api/invitations',
    before,
    query: PageQuery,
    handle: async ({ query, response }) => {
      const cursor = query.cursor === undefined ? undefined : decodeInvitationCursor(query.cursor);
      if (query.cursor !== undefined && cursor === undefined)
        throw new AppError('invalid_request', '/query/cursor: not a cursor of this list');
      const rows = await invitations.pending(identityOf(response).userId, { limit: query.limit + 1, ...(cursor ? { cursor } : {}) });
      const { items, last } = pageOf(rows, query.limit);
      return { body: { invitations: items, next_cursor: last ? encodeInvitationCursor(last) : null } satisfies InvitationList };
    },
  });
  for (const [verb, answer] of [
    ['accept', 'accepted'],
    ['decline', 'declined'],
  ] as const) {
    addRoute(app, {
      method: 'post',
      path: `/api/invitations/:id/${verb}`,
      before,
      params: InvitationPath,
      handle: async ({ params: { id }, response }) => {
        const { userId, name } = identityOf(response);
        if (!isId(id)) throw new AppError('invitation_not_found');
        const answered = await invitations.answer(id.toLowerCase(), { id: userId, name }, answer, now());
        if (!answered.ok) throw new AppError(answered.error);
        if (answered.entry) await announcer.entry(answered.entry);
        return { body: answered.invitation };
      },
    });
  }
}

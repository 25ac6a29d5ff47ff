// REST of users: names for everybody, the e-mail address only for oneself.
import { addRoute, identityOf } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import { userOperations, type User, type UserList } from '@parley/protocol';
import type { Express } from 'express';
import { decodeUserCursor, encodeUserCursor, pageOf } from '../domain/cursor.ts';
import type { Account } from '../ports.ts';
import { cursorOf, type RouteContext } from './route-context.ts';

export function addUserRoutes(app: Express, { users, requireUser }: RouteContext): void {
  const before = [requireUser];
  addRoute(app, {
    operation: userOperations.listUsers,
    before,
    handle: async ({ query }) => {
      const after = cursorOf(query.cursor, decodeUserCursor);
      const words = query.query?.trim();
      const found = await users.search({
        limit: query.limit + 1,
        ...(words ? { query: words } : {}),
        ...(after === undefined ? {} : { after }),
      });
      const { items, last } = pageOf(found, query.limit);
      return { body: { users: items, next_cursor: last ? encodeUserCursor(last.id) : null } satisfies UserList };
    },
  });
  addRoute(app, {
    operation: userOperations.getOwnUser,
    before,
    handle: async ({ response }) => ({ body: ownAnswer(await users.account(identityOf(response).userId)) }),
  });
  addRoute(app, {
    operation: userOperations.getUser,
    before,
    handle: async ({ params: { id }, response }) => {
      if (id === identityOf(response).userId) return { body: ownAnswer(await users.account(id)) };
      const name = (await users.names([id])).get(id);
      if (name === undefined) throw new AppError('user_not_found');
      return { body: { id, name } satisfies User };
    },
  });
}

function ownAnswer(account: Account | undefined): User {
  if (!account) throw new AppError('user_not_found');
  return { id: account.id, name: account.name, email: account.email };
}

// REST of users: names for everybody, the e-mail address only for oneself.
import { addRoute, AppError, identityOf } from '@parley/kit';
import { UserId, type User } from '@parley/protocol';
import { Type } from '@sinclair/typebox';
import type { Express, RequestHandler } from 'express';
import type { Account, Users } from '../ports.ts';

const UserPath = Type.Object({ id: UserId });

export function addUserRoutes(app: Express, { users, requireUser }: { users: Users; requireUser: RequestHandler }): void {
  const before = [requireUser];
  addRoute(app, {
    method: 'get',
    path: '/api/v1/users/me',
    before,
    handle: async ({ response }) => ({ body: ownAnswer(await users.account(identityOf(response).userId)) }),
  });
  addRoute(app, {
    method: 'get',
    path: '/api/v1/users/:id',
    before,
    params: UserPath,
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

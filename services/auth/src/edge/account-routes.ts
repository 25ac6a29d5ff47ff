// What somebody who is logged in may do with the account.
import { addRoute, contextOf, identityOf } from '@parley/kit/http';
import { authOperations } from '@parley/protocol';
import type { Express, RequestHandler } from 'express';
import type { AccountChanges } from '../account-changes.ts';
import type { Counted } from './answers.ts';
import { takeAttempt, type AttemptLimits } from './attempt-guard.ts';

interface AccountRoutes {
  changes: AccountChanges;
  requireUser: RequestHandler;
  limits: AttemptLimits;
  counted: Counted;
  json: RequestHandler;
}

export function addAccountRoutes(app: Express, { changes, requireUser, limits, counted, json }: AccountRoutes): void {
  addRoute(app, {
    operation: authOperations.logout,
    before: [requireUser],
    handle: async ({ response }) => {
      await counted('logout', response, () => changes.logout(identityOf(response)));
      return { status: 204 };
    },
  });
  addRoute(app, {
    operation: authOperations.changePassword,
    before: [requireUser, json],
    handle: async ({ body, response }) => {
      const identity = identityOf(response);
      await counted('password', response, async () => {
        // The same attempts as those of a login: a stolen token is no way around their limit.
        await takeAttempt(limits, { clientIp: contextOf(response).clientIp, email: identity.email }, response);
        await changes.changePassword(identity, body);
      });
      return { status: 204 };
    },
  });
}

// REST of auth. Bodies are read per route, after the API key: an unknown caller makes no work.
import { addRoute, contextOf } from '@parley/kit/http';
import { authOperations, BODY_MAX_BYTES } from '@parley/protocol';
import express, { type Express, type RequestHandler } from 'express';
import type { AccountChanges } from '../account-changes.ts';
import type { PublicJwk } from '../adapters/signing-keys.ts';
import { normaliseEmail } from '../domain/profile.ts';
import type { AuthMetrics } from '../metrics.ts';
import type { Login } from '../sessions.ts';
import { addAccountRoutes } from './account-routes.ts';
import { addApiKeyRoutes, type ApiKeyRoutes } from './api-key-routes.ts';
import { countingAttempts } from './answers.ts';
import { takeAttempt, type AttemptLimits } from './attempt-guard.ts';

/** Verifiers fetch the keys anew for an unknown key id; this spares the rest. */
const JWKS_CACHE = 'public, max-age=300';

export interface AuthRoutes {
  login: Login;
  changes: AccountChanges;
  apiKey: RequestHandler;
  keyRoutes: Omit<ApiKeyRoutes, 'json'>;
  requireUser: RequestHandler;
  limits: AttemptLimits;
  metrics: AuthMetrics;
  keys: () => readonly PublicJwk[];
}

export function addAuthRoutes(app: Express, { login, changes, apiKey, keyRoutes, requireUser, limits, metrics, keys }: AuthRoutes): void {
  const json = express.json({ limit: BODY_MAX_BYTES, strict: true });
  const counted = countingAttempts(metrics);
  addRoute(app, {
    operation: authOperations.register,
    before: [apiKey, json],
    handle: async ({ body, response }) => {
      const answer = await counted('register', response, async () => {
        await takeAttempt(limits, { clientIp: contextOf(response).clientIp, email: normaliseEmail(body.email) }, response);
        return login.register(body);
      });
      return { status: 201, body: answer };
    },
  });
  addRoute(app, {
    operation: authOperations.login,
    before: [apiKey, json],
    handle: async ({ body, response }) => {
      const email = normaliseEmail(body.email);
      const answer = await counted('login', response, async () => {
        await takeAttempt(limits, { clientIp: contextOf(response).clientIp, email }, response);
        return login.login({ email, password: body.password });
      });
      return { body: answer };
    },
  });
  addRoute(app, {
    operation: authOperations.refresh,
    before: [json],
    handle: async ({ body, response }) => ({ body: await counted('refresh', response, () => login.refresh(body.refresh_token)) }),
  });
  addAccountRoutes(app, { changes, requireUser, limits, counted, json });
  addApiKeyRoutes(app, { ...keyRoutes, json });
  addRoute(app, {
    operation: authOperations.publicKeys,
    handle: ({ response }) => {
      response.setHeader('Cache-Control', JWKS_CACHE);
      return { body: { keys: keys() } };
    },
  });
}

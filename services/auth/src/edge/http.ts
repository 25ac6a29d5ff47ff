// REST of auth. Bodies are read per route, after the API key: an unknown caller makes no work.
import { addRoute, AppError, contextOf } from '@parley/kit';
import { BODY_MAX_BYTES, LoginBody, RefreshBody, RegisterBody, type AuthAnswer } from '@parley/protocol';
import express, { type Express, type RequestHandler, type Response } from 'express';
import type { PublicJwk } from '../adapters/signing-keys.ts';
import { normaliseEmail } from '../domain/profile.ts';
import type { AuthMetrics } from '../metrics.ts';
import type { Login } from '../sessions.ts';
import { takeAttempt, type AttemptLimits } from './attempt-guard.ts';

/** Verifiers fetch the keys anew for an unknown key id; this spares the rest. */
const JWKS_CACHE = 'public, max-age=300';

export interface AuthRoutes {
  login: Login;
  apiKey: RequestHandler;
  limits: AttemptLimits;
  metrics: AuthMetrics;
  keys: readonly PublicJwk[];
}

export function addAuthRoutes(app: Express, { login, apiKey, limits, metrics, keys }: AuthRoutes): void {
  const json = express.json({ limit: BODY_MAX_BYTES, strict: true });
  const counted = async (action: string, response: Response, work: () => Promise<AuthAnswer>): Promise<AuthAnswer> => {
    // Tokens must not stay in any cache on the way.
    response.setHeader('Cache-Control', 'no-store');
    try {
      const answer = await work();
      metrics.attempts.inc({ action, result: 'success' });
      return answer;
    } catch (error) {
      metrics.attempts.inc({ action, result: error instanceof AppError ? error.code : 'internal' });
      throw error;
    }
  };
  addRoute(app, {
    method: 'post',
    path: '/api/v1/auth/register',
    before: [apiKey, json],
    body: RegisterBody,
    handle: async ({ body, response }) => {
      const answer = await counted('register', response, async () => {
        await takeAttempt(limits, { clientIp: contextOf(response).clientIp, email: normaliseEmail(body.email) }, response);
        return login.register(body);
      });
      return { status: 201, body: answer };
    },
  });
  addRoute(app, {
    method: 'post',
    path: '/api/v1/auth/login',
    before: [apiKey, json],
    body: LoginBody,
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
    method: 'post',
    path: '/api/v1/auth/refresh',
    before: [json],
    body: RefreshBody,
    handle: async ({ body, response }) => ({ body: await counted('refresh', response, () => login.refresh(body.refresh_token)) }),
  });
  addRoute(app, {
    method: 'get',
    path: '/.well-known/jwks.json',
    handle: ({ response }) => {
      response.setHeader('Cache-Control', JWKS_CACHE);
      return { body: { keys } };
    },
  });
}

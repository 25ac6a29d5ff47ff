// API keys for administrators: made, listed, revoked. A key is shown once; what is kept cannot show it again.
import { randomBytes } from 'node:crypto';
import { addRoute } from '@parley/kit/http';
import { AppError, type Log } from '@parley/kit/process';
import { authOperations, type ApiKey, type ApiKeyCreated, type ApiKeyList } from '@parley/protocol';
import type { Express, RequestHandler } from 'express';
import { API_KEY_PREFIX_BYTES, API_KEY_SECRET_BYTES, apiKeyOf, parseApiKey } from '@parley/kit/tokens';
import { checkedName } from '../domain/profile.ts';
import type { ApiKeys, StoredApiKey } from '../ports.ts';

/** The prefix has 32 bits; several collisions in a row are no chance. */
const PREFIX_TRIES = 5;

export interface ApiKeyRoutes {
  apiKeys: ApiKeys;
  /** Lets keys with the scope admin through. */
  requireAdmin: RequestHandler;
  json: RequestHandler;
  log: Log;
  now: () => Date;
}

export function addApiKeyRoutes(app: Express, { apiKeys, requireAdmin, json, log, now }: ApiKeyRoutes): void {
  addRoute(app, {
    operation: authOperations.listApiKeys,
    before: [requireAdmin],
    handle: async ({ query: { limit, cursor } }) => {
      const keys = await apiKeys.list({ after: positionOf(cursor), limit: limit + 1 });
      const shown = keys.slice(0, limit);
      const next_cursor = keys.length > limit ? String(shown.at(-1)?.id) : null;
      return { body: { api_keys: shown.map(answerOf), next_cursor } satisfies ApiKeyList };
    },
  });
  addRoute(app, {
    operation: authOperations.createApiKey,
    before: [requireAdmin, json],
    handle: async ({ body: { name, scopes }, response }) => {
      response.setHeader('Cache-Control', 'no-store');
      const { key, stored } = await createKey(apiKeys, { name: checkedName(name), scopes, at: now() });
      log.info({ api_key: stored.prefix, scopes }, 'API key created');
      return { status: 201, body: { ...answerOf(stored), key } satisfies ApiKeyCreated };
    },
  });
  addRoute(app, {
    operation: authOperations.revokeApiKey,
    before: [requireAdmin],
    handle: async ({ params: { id } }) => {
      if (!(await apiKeys.revoke(id, now()))) throw new AppError('not_found', 'There is no such API key');
      log.info({ api_key_id: id }, 'API key revoked');
      return { status: 204 };
    },
  });
}

async function createKey(apiKeys: ApiKeys, about: Parameters<ApiKeys['create']>[1]): Promise<{ key: string; stored: StoredApiKey }> {
  for (let attempt = 0; attempt < PREFIX_TRIES; attempt++) {
    const key = apiKeyOf(randomBytes(API_KEY_PREFIX_BYTES), randomBytes(API_KEY_SECRET_BYTES));
    const given = parseApiKey(key);
    const stored = given && (await apiKeys.create(given, about));
    if (stored) return { key, stored };
  }
  throw new AppError('unavailable', 'No free prefix for an API key', { retryAfterMs: 1000 });
}

function positionOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!/^\d{1,15}$/.test(cursor)) throw new AppError('invalid_request', '/query/cursor: not a cursor of this list');
  return Number(cursor);
}

function answerOf({ id, prefix, name, scopes, createdAt, lastUsedAt, revokedAt }: StoredApiKey): ApiKey {
  const timeOf = (date: Date | null) => date?.toISOString() ?? null;
  return { id, prefix, name, scopes, created_at: createdAt.toISOString(), last_used_at: timeOf(lastUsedAt), revoked_at: timeOf(revokedAt) };
}

// Middleware: a valid API key with this scope comes before everything else, also before the body is read.
import { AppError, messageOf, type Log } from '@parley/kit/process';
import type { RequestHandler } from 'express';
import { isSameKey, parseApiKey, SEND_API_KEY } from '@parley/kit/tokens';
import type { ApiKeyScope } from '@parley/protocol';
import type { ApiKeys } from '../ports.ts';

/** "Last used" is kept to the minute: it need not cost a write for each call. */
const MARK_EVERY_MS = 60_000;

export function requireApiKey(scope: ApiKeyScope, { apiKeys, log, now }: { apiKeys: ApiKeys; log: Log; now: () => Date }): RequestHandler {
  return async (request, _response, next) => {
    const given = parseApiKey(request.get('x-api-key'));
    const record = given && (await apiKeys.find(given.prefix));
    if (!given || !isSameKey(given, record)) throw new AppError('invalid_api_key', SEND_API_KEY);
    if (!record.scopes.includes(scope)) throw new AppError('forbidden', `This API key has not the scope ${scope}`);
    const at = now();
    if (at.getTime() - (record.lastUsedAt?.getTime() ?? 0) > MARK_EVERY_MS) {
      apiKeys.markUsed(record.id, at).catch((error: unknown) => log.debug({ reason: messageOf(error) }, 'use of an API key not noted'));
    }
    next();
  };
}

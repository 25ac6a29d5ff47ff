// Middleware: a valid API key with the scope admin. Auth owns the keys and writes them; here they are only compared, so that
// administration does not need auth to be up.
import { AppError } from '@parley/kit/process';
import { postgresError, type PostgresPool } from '@parley/kit/sql';
import { isSameKey, parseApiKey, SEND_API_KEY, type ApiKeyRecord } from '@parley/kit/tokens';
import type { RequestHandler, Response } from 'express';

export function requireAdminKey(pool: PostgresPool): RequestHandler {
  return async (request, response, next) => {
    const given = parseApiKey(request.get('x-api-key'));
    const record = given && (await find(pool, given.prefix));
    if (!given || !isSameKey(given, record)) throw new AppError('invalid_api_key', SEND_API_KEY);
    if (!record.scopes.includes('admin')) throw new AppError('forbidden', 'This API key has not the scope admin');
    (response.locals as { adminKey?: string }).adminKey = given.prefix;
    next();
  };
}

/** Prefix of the key, which is not secret: it says who did it. */
export const adminKeyOf = (response: Response): string => (response.locals as { adminKey?: string }).adminKey ?? '';

async function find(pool: PostgresPool, prefix: string): Promise<ApiKeyRecord | undefined> {
  try {
    const { rows } = await pool.query<{ hash: Buffer; scopes: string[] }>(
      'SELECT hash, scopes FROM api_keys WHERE prefix = $1 AND revoked_at IS NULL',
      [prefix],
    );
    return rows[0];
  } catch (error) {
    throw postgresError(error);
  }
}

// Middleware: a valid API key with the scope admin. Auth owns the keys and writes them; here they are only compared, so that
// administration does not need auth to be up.
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '@parley/kit/process';
import { postgresError, type PostgresPool } from '@parley/kit/sql';
import type { RequestHandler, Response } from 'express';

const FORM = /^(pk_[0-9a-f]{8})_[A-Za-z0-9_-]{43,128}$/;
/** Compared with when there is no such prefix: both cases do the same work. */
const NO_HASH = Buffer.alloc(32);

export function requireAdminKey(pool: PostgresPool): RequestHandler {
  return async (request, response, next) => {
    const given = request.get('x-api-key') ?? '';
    const prefix = FORM.exec(given)?.[1];
    const record = prefix === undefined ? undefined : await find(pool, prefix);
    const hash = createHash('sha256').update(given).digest();
    const isSame = timingSafeEqual(hash, record?.hash.length === NO_HASH.length ? record.hash : NO_HASH);
    if (prefix === undefined || !record || !isSame) throw new AppError('invalid_api_key', 'Send a valid key in the header X-API-Key');
    if (!record.scopes.includes('admin')) throw new AppError('forbidden', 'This API key has not the scope admin');
    (response.locals as { adminKey?: string }).adminKey = prefix;
    next();
  };
}

/** Prefix of the key, which is not secret: it says who did it. */
export const adminKeyOf = (response: Response): string => (response.locals as { adminKey?: string }).adminKey ?? '';

async function find(pool: PostgresPool, prefix: string): Promise<{ hash: Buffer; scopes: string[] } | undefined> {
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

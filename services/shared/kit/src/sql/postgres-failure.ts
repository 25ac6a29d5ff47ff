// What an error of the PostgreSQL driver means for a request.
import { AppError } from '../process/errors.ts';

/** Classes of SQLSTATE that say "not now": connection, resources, operator intervention (shutdown, starting up, cancelled). */
const NOT_NOW = /^(08|53|57)/;

/** An answer of the server carries a SQLSTATE of five characters; what has none is the connection's or the pool's. */
export function postgresError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const { code } = (error ?? {}) as { code?: string };
  const fromServer = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  if (fromServer && !NOT_NOW.test(code)) return error;
  if (!fromServer && error instanceof TypeError) return error;
  return new AppError('unavailable', undefined, { retryAfterMs: 1000, cause: error });
}

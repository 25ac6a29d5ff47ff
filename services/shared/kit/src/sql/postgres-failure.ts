// What an error of PostgreSQL means. The one table: auth, core and the worker decide by it.
import { AppError } from '../process/errors.ts';

/**
 * conflict: the transaction lost against another one, repeat it · not now: the server or the way to it is away, it comes back ·
 * full: no space for what is written · read only: this server takes no writes, another one may · ours: the statement itself is wrong
 */
export type PostgresFailure = 'conflict' | 'not now' | 'full' | 'read only' | 'ours';

/** Serialization failure, deadlock, lock not available. */
const CONFLICTS = new Set(['40001', '40P01', '55P03']);
const DISK_FULL = '53100';
/** A standby, or a primary that was told so. */
const READ_ONLY = '25006';
/** Classes of SQLSTATE that say "not now": connection, resources (too many connections), operator intervention (shutdown, starting up, cancelled). */
const NOT_NOW = /^(08|53|57)/;
/** What an answer of the server carries; codes of Node have the same length now and then (EPIPE), but begin otherwise. */
const SQLSTATE = /^[0-9FHPX][0-9A-Z]{4}$/;
const RETRY_AFTER_MS = 1000;

/** undefined: the server did not answer, so there is nothing that it could mean. */
export function postgresFailure(error: unknown): PostgresFailure | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code !== 'string' || !SQLSTATE.test(code)) return undefined;
  if (CONFLICTS.has(code)) return 'conflict';
  if (code === DISK_FULL) return 'full';
  if (code === READ_ONLY) return 'read only';
  return NOT_NOW.test(code) ? 'not now' : 'ours';
}

/**
 * For callers of a service: what passes becomes `unavailable` or, after repeated conflicts, `overloaded`; what is ours stays what it is.
 * An error without an answer of the server is the connection's or the pool's, which speak in words only.
 */
export function postgresError(error: unknown): unknown {
  if (error instanceof AppError || error instanceof TypeError) return error;
  const failure = postgresFailure(error) ?? 'not now';
  if (failure === 'ours') return error;
  return new AppError(failure === 'conflict' ? 'overloaded' : 'unavailable', undefined, { retryAfterMs: RETRY_AFTER_MS, cause: error });
}

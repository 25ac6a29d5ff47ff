// What an error of the MySQL driver means for a request: repeat the transaction, tell the caller to come back, or a fault of ours.
import { AppError } from '@parley/kit/process';

/** Deadlock, lock wait time-out, and MariaDB's "record has changed since last read": the whole transaction can be repeated. */
const CONFLICTS = new Set([1213, 1205, 1020]);
/** Shutdown, too many connections, read-only server. */
const SERVER_STATES = new Set([1040, 1053, 1290, 1836, 1927]);
const RETRY_AFTER_MS = 1000;

interface DriverError {
  errno?: number;
  code?: string;
  fatal?: boolean;
  sqlState?: string;
  message?: string;
}

export const isConflict = (error: unknown): boolean => CONFLICTS.has((error as DriverError | undefined)?.errno ?? 0);
export const isDuplicate = (error: unknown): boolean => (error as DriverError | undefined)?.errno === 1062;

/** Errors of the connection or of a server that cannot work become `unavailable`; everything else stays what it is. */
export function mysqlError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const { code, errno, fatal, sqlState, message } = (error ?? {}) as DriverError;
  const connection =
    fatal === true || (code !== undefined && sqlState === undefined && /^(E[A-Z]+|PROTOCOL_)/.test(code) && !code.startsWith('ER_'));
  const pool = message === 'Pool is closed.' || message === 'Queue limit reached.';
  const conflict = isConflict(error);
  if (!connection && !pool && !conflict && !SERVER_STATES.has(errno ?? 0)) return error;
  return new AppError(conflict ? 'overloaded' : 'unavailable', undefined, { retryAfterMs: RETRY_AFTER_MS, cause: error });
}

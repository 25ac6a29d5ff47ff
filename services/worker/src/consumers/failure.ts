// Whether a failure tells something about the record or about the moment. What is away comes back, and a record is not to blame for it:
// such work waits. Everything else is tried a few times and then set aside, so that one record cannot stop all behind it.
import { mysqlFailure } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import { postgresFailure } from '@parley/kit/sql';

/** Of sockets as the HTTP client gives them; those of databases are in the tables. */
const SOCKET = 'UND_ERR_SOCKET';
/** What ioredis and the pool of PostgreSQL say in words only. */
const WORDS =
  /^(Connection is closed|Connection terminated|Query read timeout|timeout exceeded when trying to connect|Command timed out|Stream isn't writeable|Reached the max retries per request|LOADING |READONLY )/;
/** Of kafkajs: it marks what may be tried again. */
const DEPTH_MAX = 5;

export function isPassing(error: unknown): boolean {
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < DEPTH_MAX; at = (at as { cause?: unknown }).cause, depth++) {
    const { code, retriable, message } = at as Record<string, unknown>;
    if (at instanceof AppError && (at.code === 'unavailable' || at.code === 'overloaded')) return true;
    if (retriable === true || code === SOCKET) return true;
    if (mysqlFailure(at) !== 'ours' || (postgresFailure(at) ?? 'ours') !== 'ours') return true;
    if (typeof message === 'string' && WORDS.test(message)) return true;
  }
  return false;
}

// Whether a failure tells something about the record or about the moment. What is away comes back, and a record is not to blame for it:
// such work waits. Everything else is tried a few times and then set aside, so that one record cannot stop all behind it.
import { AppError } from '@parley/kit/process';

/** Shutdown, too many connections, read-only server, deadlock, lock wait time-out, and MariaDB's "changed since last read". */
const MYSQL_NOT_NOW = new Set([1020, 1040, 1053, 1205, 1213, 1290, 1836, 1927]);
/** Of sockets and names, as Node gives them. */
const CONNECTION = /^(ECONN[A-Z]+|E(PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)|PROTOCOL_[A-Z_]+|UND_ERR_SOCKET)$/;
/** Connection, resources, operator intervention: SQLSTATE of PostgreSQL. */
const POSTGRES_NOT_NOW = /^(08|53|57)[0-9A-Z]{3}$/;
/** What ioredis and the pools say in words only. */
const WORDS =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Reached the max retries per request|Pool is closed|Queue limit reached|LOADING |READONLY )/;
/** Of kafkajs: it marks what may be tried again. */
const DEPTH_MAX = 5;

export function isPassing(error: unknown): boolean {
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < DEPTH_MAX; at = (at as { cause?: unknown }).cause, depth++) {
    const { code, errno, fatal, retriable, message } = at as Record<string, unknown>;
    if (at instanceof AppError && (at.code === 'unavailable' || at.code === 'overloaded')) return true;
    if (fatal === true || retriable === true) return true;
    if (typeof errno === 'number' && MYSQL_NOT_NOW.has(errno)) return true;
    if (typeof code === 'string' && (CONNECTION.test(code) || POSTGRES_NOT_NOW.test(code))) return true;
    if (typeof message === 'string' && WORDS.test(message)) return true;
  }
  return false;
}

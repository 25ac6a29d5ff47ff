// What an error of MySQL or MariaDB means. The one table: chat, core and the worker decide by it.
import { AppError } from '@parley/kit/process';

/**
 * conflict: the transaction lost against another one, repeat it · not now: the server or the way to it is away, it comes back ·
 * full: no space for what is written · read only: this server takes no writes, another one may · ours: the statement itself is wrong
 */
export type MysqlFailure = 'conflict' | 'not now' | 'full' | 'read only' | 'ours';

/** Numbers of both servers; where they differ a number means nothing on the other one. */
const NUMBERS: Record<Exclude<MysqlFailure, 'ours'>, ReadonlySet<number>> = {
  // Lock wait time-out, deadlock, MariaDB's "record has changed since last read".
  conflict: new Set([1020, 1205, 1213]),
  // Too many connections (of all, of a user), out of memory and threads, shutdown, host blocked, not prepared (Galera), killed or interrupted,
  // packets lost, statement time-outs of the servers, offline, disconnected for silence.
  'not now': new Set([
    ...[1037, 1038, 1040, 1041, 1047, 1053, 1077, 1079, 1129, 1135, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1226, 1317],
    ...[1927, 1969, 3024, 3032, 3169, 4031],
  ]),
  full: new Set([1021, 1114]),
  // Option of the server, InnoDB, read-only mode, read-only transaction.
  'read only': new Set([1290, 1792, 1836, 1874]),
};
/** Errors that pass on what the system said: of files, of storage engines, of a commit. Only their words may be believed: others hold data. */
const OF_THE_SYSTEM = new Set([1004, 1005, 1006, 1026, 1030, 1180, 1598]);
/** Numbers below belong to the file layer of both servers. */
const FILE_LAYER_MAX = 1000;
const NO_SPACE = /No space left on device|Disk quota exceeded|Disk is full|\berr(?:or|no):? (?:28|122)\b/i;
/** Of sockets and names, as Node gives them, and of the driver. */
const CONNECTION =
  /^(ECONN[A-Z]+|E(PIPE|TIMEDOUT|HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|NOTFOUND|AI_[A-Z]+)|PROTOCOL_[A-Z_]+|HANDSHAKE_[A-Z_]+)$/;
/** What the driver's pool says in words only. */
const POOL = /^(Pool is closed\.|Queue limit reached\.)$/;
const DUPLICATE = 1062;
const RETRY_AFTER_MS = 1000;

interface DriverError {
  errno?: number;
  code?: string;
  fatal?: boolean;
  sqlState?: string;
  message?: string;
}

const partsOf = (error: unknown): DriverError => error ?? {};

/** What an error of MySQL or of the connection to it means. */
export function mysqlFailure(error: unknown): MysqlFailure {
  const { errno = 0, code = '', fatal, sqlState = '', message = '' } = partsOf(error);
  for (const [meaning, numbers] of Object.entries(NUMBERS)) if (numbers.has(errno)) return meaning as MysqlFailure;
  if ((OF_THE_SYSTEM.has(errno) || (errno > 0 && errno < FILE_LAYER_MAX)) && NO_SPACE.test(message)) return 'full';
  if (sqlState.startsWith('40')) return 'conflict';
  if (fatal === true || CONNECTION.test(code) || POOL.test(message) || sqlState.startsWith('08')) return 'not now';
  return 'ours';
}

/** The server's own words, when it refused a write for want of space. */
export const noSpace = (error: unknown): string | undefined =>
  mysqlFailure(error) === 'full' ? partsOf(error).message || partsOf(error).code : undefined;

/** A unique key is taken: what that means, only the caller knows. */
export const isDuplicate = (error: unknown): boolean => partsOf(error).errno === DUPLICATE;

/** The answer came from the server, so the connection is sound. */
export const isFromServer = (error: unknown): boolean => partsOf(error).sqlState !== undefined && partsOf(error).fatal !== true;

/** For callers of a service: what passes becomes `unavailable` or, after repeated conflicts, `overloaded`; what is ours stays what it is. */
export function mysqlError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const failure = mysqlFailure(error);
  if (failure === 'ours') return error;
  return new AppError(failure === 'conflict' ? 'overloaded' : 'unavailable', undefined, { retryAfterMs: RETRY_AFTER_MS, cause: error });
}

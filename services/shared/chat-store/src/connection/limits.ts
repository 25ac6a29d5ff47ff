// How long MySQL may take. A server that is frozen, a node that is gone, or a lock that is held too long costs a caller some seconds:
// whoever waits too long gets an error, and the connection that did not answer is never used again.
import { Type } from '@sinclair/typebox';
import { secretUrl } from '@parley/kit/settings';

/** Time limits of connecting and of every statement, in milliseconds. */
export interface MysqlLimits {
  /** Longest time without an answer to a statement. */
  statementMs: number;
  /** Longest time until a new connection is there, and longest wait for a free one of a pool. */
  connectionMs: number;
  /** Longest wait of the server for one row lock. */
  lockSeconds: number;
}

const STATEMENT_MS = 7000;
const CONNECTION_MAX_MS = 3000;

/** One setting: the others follow from it. The server gives a lock up before the statement that waits for it is given up here. */
export const mysqlLimits = (statementMs = STATEMENT_MS): MysqlLimits => ({
  statementMs,
  connectionMs: Math.min(CONNECTION_MAX_MS, statementMs),
  lockSeconds: Math.max(1, Math.floor(statementMs / 2000)),
});

/** Variables of every service that works with the chat database. */
export const mysqlConfig = {
  databaseUrl: secretUrl('chat database, mysql://user:password@host:3306/name', 'mysql'),
  databaseTimeoutMs: Type.Integer({
    minimum: 100,
    maximum: 600_000,
    default: STATEMENT_MS,
    description: 'a statement to the chat database that has no answer after this time has failed, and its connection is closed',
  }),
};

/** What `work` gives within the time; afterwards an error with the code ETIMEDOUT, and what comes too late goes to `late`. */
export async function within<T>(
  ms: number,
  { what, work, late }: { what: string; work: Promise<T>; late: (value: T) => void },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(Object.assign(new Error(`no ${what} within ${ms} ms`), { code: 'ETIMEDOUT' }));
    }, ms);
  });
  work.then(
    (value) => isLate && late(value),
    () => {},
  );
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

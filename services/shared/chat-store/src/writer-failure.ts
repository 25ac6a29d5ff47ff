// What went wrong with a transaction, as far as the writer's next step depends on it.

/** conflict: roll back and repeat · data: one message of the batch cannot be stored · connection: new connection, outcome unknown, repeat */
export type Failure = 'conflict' | 'data' | 'connection';

/** Deadlock and lock wait time-out. */
const CONFLICTS = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);
/** A unique key that another writer took between read and insert is a conflict too: the repeat finds the stored row. */
const DUPLICATE = 'ER_DUP_ENTRY';

export function classify(error: unknown): Failure {
  const { code, sqlState, fatal } = (error ?? {}) as { code?: string; sqlState?: string; fatal?: boolean };
  if (code !== undefined && (CONFLICTS.has(code) || code === DUPLICATE)) return 'conflict';
  // SQLSTATE class 22: data exception; HY000 and class 23 come with wrong values as well, but never with a lost connection.
  if (!fatal && sqlState !== undefined && /^(22|23|HY)/.test(sqlState) && !isServerState(code)) return 'data';
  if (!fatal && sqlState?.startsWith('42')) return 'data';
  return 'connection';
}

/** Errors of a server that is stopping or read-only: a new connection may help, another text does not. */
function isServerState(code: string | undefined): boolean {
  return (
    code !== undefined &&
    /^ER_(SERVER_SHUTDOWN|OPTION_PREVENTS_STATEMENT|READ_ONLY_MODE|CANT_EXECUTE_IN_READ_ONLY|DISK_FULL|RECORD_FILE_FULL|QUERY_INTERRUPTED|CON_COUNT|OUT_OF_RESOURCES)/.test(
      code,
    )
  );
}

/** What MySQL and MariaDB say when there is no space for what is written: their numbers, and that of the system below them. */
const NO_SPACE = new Set(['ER_DISK_FULL', 'ER_RECORD_FILE_FULL']);

/** The server's own words, when it refused a write for want of space; undefined: it was something else. */
export function noSpace(error: unknown): string | undefined {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  const said = NO_SPACE.has(code ?? '') || /no space left on device|errno: 28\b|error 28\b/i.test(message);
  return said ? message : undefined;
}

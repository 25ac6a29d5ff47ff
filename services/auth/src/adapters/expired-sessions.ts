// Deletes refresh tokens, families and revocations whose time is over, in small pieces. Every replica does it; they do not hinder each other.
import { messageOf, type Log } from '@parley/kit/process';
import type { PostgresPool } from '@parley/kit/sql';

const EVERY_MS = 10 * 60_000;
const ROWS = 1000;
/** Tables and their columns. */
const ENDS = { refresh_tokens: 'expires_at', refresh_families: 'expires_at', revocations: 'until_at' };

/** Returns how many rows went. */
export async function deleteExpired(pool: PostgresPool, now: Date): Promise<number> {
  let deleted = 0;
  for (const [table, end] of Object.entries(ENDS)) {
    for (let rows = ROWS; rows === ROWS;) {
      const result = await pool.query(
        `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${end} < $1 ORDER BY ${end} LIMIT ${ROWS} FOR UPDATE SKIP LOCKED)`,
        [now],
      );
      rows = result.rowCount ?? 0;
      deleted += rows;
    }
  }
  return deleted;
}

/** Returns the function that ends it. */
export function sweepExpired({ pool, log, now }: { pool: PostgresPool; log: Log; now: () => Date }): () => void {
  const timer = setInterval(() => {
    deleteExpired(pool, now()).then(
      (rows) => log.debug({ rows }, 'expired sessions and revocations deleted'),
      (error: unknown) => log.warn({ reason: messageOf(error) }, 'expired sessions and revocations not deleted'),
    );
  }, EVERY_MS);
  return () => clearInterval(timer);
}

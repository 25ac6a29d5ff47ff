// Keeps the log of deliveries bounded: by age, by rows an endpoint, by what waits for an endpoint that does not catch up.
import { fromBinary, type MysqlPool } from '@parley/chat-store';
import type { RowDataPacket } from 'mysql2';

/** Kept for replays: this long, and at most this many an endpoint. */
const KEPT_DAYS = 7;
const KEPT_MAX = 10_000;
/** An endpoint that is so far behind does not catch up. */
const PENDING_MAX = 100_000;
const PRUNE_ROWS = 1000;

export const FAIL_PENDING = `UPDATE webhook_deliveries SET state = 'failed', last_error = COALESCE(last_error, 'the webhook was disabled')
                       WHERE webhook_id = ? AND state = 'pending'`;

/** Returns how many endpoints were disabled because too much waits for them. */
export async function pruneDeliveries(pool: MysqlPool, disable: (id: string, reason: string) => Promise<void>): Promise<number> {
  await pool.query(
    `DELETE FROM webhook_deliveries WHERE created_at < UTC_TIMESTAMP(3) - INTERVAL ${KEPT_DAYS} DAY AND state <> 'pending' LIMIT ${PRUNE_ROWS}`,
  );
  const [rows] = await pool.query<RowDataPacket[]>(
    `SELECT d.webhook_id AS id, COUNT(*) AS rows_kept, SUM(d.state = 'pending') AS pending, w.id IS NULL AS orphan, w.disabled_at
       FROM webhook_deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id GROUP BY d.webhook_id, w.id, w.disabled_at`,
  );
  let disabled = 0;
  for (const row of rows) {
    const id = row['id'] as Buffer;
    const [kept, pending] = [Number(row['rows_kept']), Number(row['pending'])];
    if (row['orphan'] === 1) await pool.query(`DELETE FROM webhook_deliveries WHERE webhook_id = ? LIMIT ${PRUNE_ROWS}`, [id]);
    else if (pending > PENDING_MAX) {
      await disable(fromBinary(id), `more than ${PENDING_MAX} events wait for it`);
      disabled++;
    } else if (row['disabled_at'] !== null && pending > 0) await pool.query(FAIL_PENDING, [id]);
    const tooMany = kept - pending - KEPT_MAX;
    if (tooMany > 0)
      await pool.query("DELETE FROM webhook_deliveries WHERE webhook_id = ? AND state <> 'pending' ORDER BY id LIMIT ?", [id, tooMany]);
  }
  return disabled;
}

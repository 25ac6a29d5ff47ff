// The deliveries in MySQL, for the deliverer.
import { fromBinary, toBinary, type MysqlPool } from '@parley/chat-store';
import type { ResultSetHeader, RowDataPacket } from 'mysql2';
import { FAIL_PENDING, pruneDeliveries } from './mysql-prune.ts';
import type { DeliveryQueue } from './ports.ts';

/** Longer than an attempt; as long as an endpoint waits when the worker that delivered to it dies. */
export const CLAIM_SECONDS = 20;
const ERROR_MAX = 500;

const DISABLE = `UPDATE webhooks SET disabled_at = UTC_TIMESTAMP(3), disabled_reason = ? WHERE id = ? AND disabled_at IS NULL`;
export function mysqlQueue(pool: MysqlPool, owner: string): DeliveryQueue {
  const one = async (sql: string, values: unknown[]): Promise<number> => (await pool.query<ResultSetHeader>(sql, values))[0].affectedRows;
  const disable = async (id: string, reason: string): Promise<void> => {
    await one(DISABLE, [reason.slice(0, ERROR_MAX), toBinary(id)]);
    await one(FAIL_PENDING, [toBinary(id)]);
  };
  return {
    disable,
    async due(limit) {
      const [rows] = await pool.query<RowDataPacket[]>(
        `SELECT w.id FROM webhooks w
           JOIN (SELECT webhook_id, MIN(id) AS head FROM webhook_deliveries WHERE state = 'pending' GROUP BY webhook_id) AS heads
             ON heads.webhook_id = w.id
           JOIN webhook_deliveries d ON d.id = heads.head
          WHERE w.disabled_at IS NULL AND d.next_at <= UTC_TIMESTAMP(3) AND (w.claimed_until IS NULL OR w.claimed_until < UTC_TIMESTAMP(3))
          ORDER BY d.next_at LIMIT ?`,
        [limit],
      );
      return rows.map((row) => fromBinary(row['id'] as Buffer));
    },
    async claim(id) {
      const claimed = await one(
        `UPDATE webhooks SET claimed_by = ?, claimed_until = UTC_TIMESTAMP(3) + INTERVAL ${CLAIM_SECONDS} SECOND
          WHERE id = ? AND disabled_at IS NULL AND (claimed_by = ? OR claimed_until IS NULL OR claimed_until < UTC_TIMESTAMP(3))`,
        [owner, toBinary(id), owner],
      );
      if (claimed === 0) return undefined;
      const [rows] = await pool.query<RowDataPacket[]>('SELECT url, secret, failures FROM webhooks WHERE id = ?', [toBinary(id)]);
      const [row] = rows;
      return row && { id, url: row['url'] as string, secret: row['secret'] as string, failures: row['failures'] as number };
    },
    async release(id) {
      await one('UPDATE webhooks SET claimed_by = NULL, claimed_until = NULL WHERE id = ? AND claimed_by = ?', [toBinary(id), owner]);
    },
    async next(id, limit) {
      const [rows] = await pool.query<RowDataPacket[]>(
        `SELECT id, event_id, event_type, body, attempts, next_at <= UTC_TIMESTAMP(3) AS is_due FROM webhook_deliveries
          WHERE webhook_id = ? AND state = 'pending' ORDER BY id LIMIT ?`,
        [toBinary(id), limit],
      );
      if (rows[0]?.['is_due'] !== 1) return [];
      return rows.map((row) => ({
        id: row['id'] as number,
        webhookId: id,
        eventId: row['event_id'] as string,
        eventType: row['event_type'] as string,
        body: row['body'] as string,
        attempts: row['attempts'] as number,
      }));
    },
    async settle(id, settled) {
      const error = 'error' in settled ? settled.error.slice(0, ERROR_MAX) : null;
      const afterMs = settled.state === 'pending' ? settled.afterMs : 0;
      await one(
        `UPDATE webhook_deliveries SET state = ?, attempts = attempts + 1, last_error = ?, next_at = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND
          WHERE id = ? AND state = 'pending'`,
        [settled.state, error, afterMs * 1000, settled.id],
      );
      await one(`UPDATE webhooks SET failures = ${settled.state === 'delivered' ? '0' : 'failures + 1'} WHERE id = ?`, [toBinary(id)]);
    },
    prune: () => pruneDeliveries(pool, disable),
    async waiting() {
      const [rows] = await pool.query<RowDataPacket[]>(
        `SELECT COUNT(*) AS n FROM (SELECT 1 FROM webhook_deliveries WHERE state = 'pending' LIMIT 100000) AS counted`,
      );
      return rows[0]?.['n'] as number;
    },
  };
}

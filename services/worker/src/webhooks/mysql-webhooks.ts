// The endpoints in MySQL, for administrators and for the consumer.
import { fromBinary, mysqlError, newId, toBinary, type MysqlPool } from '@parley/chat-store';
import { AppError } from '@parley/kit/process';
import { translatingErrors } from '@parley/kit/sql';
import type { ResultSetHeader, RowDataPacket } from 'mysql2';
import type { DeliveryIntake, DeliveryState, Webhook, Webhooks } from './ports.ts';

/** Each event is compared with all of them. */
export const WEBHOOKS_MAX = 1000;
const COLUMNS = 'id, url, events, room_id, created_by, disabled_at, disabled_reason, failures, created_at';

function toWebhook(row: RowDataPacket): Webhook {
  const roomId = row['room_id'] as Buffer | null;
  return {
    id: fromBinary(row['id'] as Buffer),
    url: row['url'] as string,
    events: (row['events'] as string).split(','),
    roomId: roomId && fromBinary(roomId),
    createdBy: row['created_by'] as string,
    disabledAt: row['disabled_at'] as Date | null,
    disabledReason: row['disabled_reason'] as string | null,
    failures: row['failures'] as number,
    createdAt: row['created_at'] as Date,
  };
}

export function mysqlWebhooks(pool: MysqlPool): Webhooks {
  return translatingErrors(webhooksOf(pool), mysqlError);
}

function webhooksOf(pool: MysqlPool): Webhooks {
  const find = async (id: string): Promise<Webhook | undefined> => {
    const [rows] = await pool.query<RowDataPacket[]>(`SELECT ${COLUMNS} FROM webhooks WHERE id = ?`, [toBinary(id)]);
    return rows[0] && toWebhook(rows[0]);
  };
  return {
    find,
    async list({ after, limit }) {
      const [rows] = await pool.query<RowDataPacket[]>(`SELECT ${COLUMNS} FROM webhooks WHERE id > ? ORDER BY id LIMIT ?`, [
        after === undefined ? Buffer.alloc(16) : toBinary(after),
        limit,
      ]);
      return rows.map(toWebhook);
    },
    async create({ url, secret, events, roomId, createdBy }) {
      const id = newId();
      const [{ affectedRows }] = await pool.query<ResultSetHeader>(
        `INSERT INTO webhooks (id, url, secret, events, room_id, created_by, created_at)
         SELECT ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3) FROM (SELECT COUNT(*) AS n FROM webhooks) AS counted WHERE counted.n < ?`,
        [toBinary(id), url, secret, events.join(','), roomId && toBinary(roomId), createdBy, WEBHOOKS_MAX],
      );
      if (affectedRows === 0) throw new AppError('conflict', `There are ${WEBHOOKS_MAX} webhooks already`);
      const made = await find(id);
      if (!made) throw new AppError('conflict', 'The webhook was removed at once');
      return made;
    },
    async remove(id) {
      const [{ affectedRows }] = await pool.query<ResultSetHeader>('DELETE FROM webhooks WHERE id = ?', [toBinary(id)]);
      // Rows that a consumer adds in this moment have no webhook and go with the next prune.
      await pool.query('DELETE FROM webhook_deliveries WHERE webhook_id = ?', [toBinary(id)]);
      return affectedRows > 0;
    },
    async deliveries(id, { state, before, limit }) {
      const [rows] = await pool.query<RowDataPacket[]>(
        `SELECT id, event_id, event_type, state, attempts, next_at, last_error, created_at FROM webhook_deliveries
          WHERE webhook_id = ? AND id < ?${state === undefined ? '' : ' AND state = ?'} ORDER BY id DESC LIMIT ?`,
        [toBinary(id), before ?? Number.MAX_SAFE_INTEGER, ...(state === undefined ? [] : [state]), limit],
      );
      return rows.map((row) => ({
        id: row['id'] as number,
        eventId: row['event_id'] as string,
        eventType: row['event_type'] as string,
        state: row['state'] as DeliveryState,
        attempts: row['attempts'] as number,
        nextAt: row['next_at'] as Date,
        lastError: row['last_error'] as string | null,
        createdAt: row['created_at'] as Date,
      }));
    },
    async replay(id, { from }) {
      const key = toBinary(id);
      // Enabled last: what is replayed is older than what comes from then on, and has to go first.
      const [{ affectedRows }] = await pool.query<ResultSetHeader>(
        `UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_at = UTC_TIMESTAMP(3)
          WHERE webhook_id = ? AND ${from ? "state IN ('failed', 'delivered') AND created_at >= ?" : "state = 'failed'"}`,
        from ? [key, from] : [key],
      );
      const [enabled] = await pool.query<ResultSetHeader>(
        'UPDATE webhooks SET disabled_at = NULL, disabled_reason = NULL, failures = 0 WHERE id = ?',
        [key],
      );
      return enabled.affectedRows === 0 ? undefined : affectedRows;
    },
  };
}

export function mysqlDeliveryIntake(pool: MysqlPool): DeliveryIntake {
  return {
    async webhooks() {
      const [rows] = await pool.query<RowDataPacket[]>(`SELECT ${COLUMNS} FROM webhooks`);
      return rows.map(toWebhook);
    },
    async add(deliveries) {
      if (deliveries.length === 0) return;
      const values = deliveries.map(({ webhookId, eventId, eventType, body }) => [toBinary(webhookId), eventId, eventType, body]);
      // For a disabled endpoint nothing is pending, but a replay finds what it has missed.
      await pool.query(
        `INSERT IGNORE INTO webhook_deliveries (webhook_id, event_id, event_type, body, state, next_at, last_error, created_at)
         SELECT w.id, given.event_id, given.event_type, given.body, IF(w.disabled_at IS NULL, 'pending', 'failed'), UTC_TIMESTAMP(3),
                IF(w.disabled_at IS NULL, NULL, 'the webhook was disabled'), UTC_TIMESTAMP(3)
           FROM (${values.map((_, index) => (index === 0 ? 'SELECT 0 AS n, ? AS webhook_id, ? AS event_id, ? AS event_type, ? AS body' : `SELECT ${index}, ?, ?, ?, ?`)).join(' UNION ALL ')}) AS given
           JOIN webhooks w ON w.id = given.webhook_id ORDER BY given.n`,
        values.flat(),
      );
    },
  };
}

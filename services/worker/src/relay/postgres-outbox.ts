// The outbox of the user database.
import type { PostgresPool } from '@parley/kit/sql';
import { ROWS_COUNTED_MAX, type Outbox } from './ports.ts';

export function postgresOutbox(pool: PostgresPool): Outbox {
  return {
    async read(limit) {
      const { rows } = await pool.query<{ id: number; topic: string; event_key: string; payload: string }>(
        'SELECT id, topic, event_key, payload::text AS payload FROM outbox ORDER BY id LIMIT $1',
        [limit],
      );
      return rows.map(({ id, topic, event_key, payload }) => ({ id, topic, eventKey: event_key, payload }));
    },
    async remove(ids) {
      await pool.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [ids]);
    },
    async stats() {
      const { rows } = await pool.query<{ waiting: number; oldest: number | null }>(
        `SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT ${ROWS_COUNTED_MAX}) counted) AS waiting,
                (SELECT extract(epoch FROM now() - created_at)::float8 FROM outbox ORDER BY id LIMIT 1) AS oldest`,
      );
      return { rows: rows[0]?.waiting ?? 0, oldestSeconds: Math.max(0, rows[0]?.oldest ?? 0) };
    },
  };
}

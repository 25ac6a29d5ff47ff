// The outbox of the chat database, and the entries its rows speak of.
import { readRange, type MysqlPool } from '@parley/chat-store';
import { topics } from '@parley/protocol';
import type { RowDataPacket } from 'mysql2';
import { parseRange } from './message-range.ts';
import { ROWS_COUNTED_MAX, type EntryReader, type Outbox } from './ports.ts';

export function mysqlOutbox(pool: MysqlPool): Outbox {
  return {
    async read(limit) {
      const [rows] = await pool.query<RowDataPacket[]>('SELECT id, topic, event_key, payload FROM outbox ORDER BY id LIMIT ?', [limit]);
      return rows.map((row) => ({
        id: row['id'] as number,
        topic: row['topic'] as string,
        eventKey: row['event_key'] as string,
        payload: row['payload'] as string,
        range: row['topic'] === topics.messages ? parseRange(row['payload'] as string) : undefined,
      }));
    },
    async remove(ids) {
      if (ids.length > 0) await pool.query('DELETE FROM outbox WHERE id IN (?)', [ids]);
    },
    async stats() {
      const [rows] = await pool.query<RowDataPacket[]>(
        `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM outbox LIMIT ${ROWS_COUNTED_MAX}) counted) AS waiting,
                (SELECT TIMESTAMPDIFF(MICROSECOND, created_at, UTC_TIMESTAMP(3)) FROM outbox ORDER BY id LIMIT 1) AS oldest`,
      );
      const oldest = (rows[0]?.['oldest'] as number | null | undefined) ?? 0;
      return { rows: (rows[0]?.['waiting'] as number | undefined) ?? 0, oldestSeconds: Math.max(0, oldest / 1e6) };
    },
  };
}

export function mysqlEntries(pool: MysqlPool): EntryReader {
  return { range: (roomId, fromSeq, toSeq) => readRange(pool, roomId, fromSeq, toSeq) };
}

// Events on their way to Kafka, written in the transaction of the change. The room's row is locked by then: a room's rows get their
// ids, and become visible, in the order of its changes.
import { topics, type RoomEvent } from '@parley/protocol';
import type { Connection } from 'mysql2/promise';

export async function insertEvents(connection: Connection, events: readonly RoomEvent[], now: Date): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => [topics.rooms, event.data.room_id, JSON.stringify(event), now]);
  await connection.query('INSERT INTO outbox (topic, event_key, payload, created_at) VALUES ?', [rows]);
}

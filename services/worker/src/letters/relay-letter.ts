// Records that Kafka refuses for good, and rows that make no sense. They must not stop everything behind them, so they go to
// `<topic>.dlq` with the reason in the headers, where an operator finds them; a counter and an ERROR line tell of each.
// The other choice, blocking until somebody comes, would turn one odd message into a stop of all events of all rooms; and nothing
// is lost: a message itself stays in the database, the dead letter names it.
import type { OutgoingRecord } from '../kafka/ports.ts';
import { deadLetterTopic } from '../kafka/topic-names.ts';

/** What is larger is replaced by a pointer: a record refused for its size would be refused there too. */
const VALUE_MAX_BYTES = 16 * 1024;

interface UnreadableRow {
  id: number;
  eventKey: string;
  payload: string;
}

export function deadLetter(record: OutgoingRecord, reason: string): OutgoingRecord {
  const bytes = Buffer.byteLength(record.value);
  const value = bytes <= VALUE_MAX_BYTES ? record.value : JSON.stringify({ omitted: true, bytes, ...eventHead(record.value) });
  return {
    topic: deadLetterTopic(record.topic),
    key: record.key,
    value,
    headers: { ...record.headers, reason, 'original-topic': record.topic },
  };
}

/** Of an outbox row that is no event at all. */
export function unreadableLetter(row: UnreadableRow, topic: string, reason: string): OutgoingRecord {
  return deadLetter({ topic, key: row.eventKey, value: row.payload, headers: { 'outbox-id': String(row.id) } }, reason);
}

/** Id and type of a CloudEvent, as far as the value is one. */
function eventHead(value: string): { id?: unknown; type?: unknown; subject?: unknown } {
  try {
    const { id, type, subject } = JSON.parse(value) as Record<string, unknown>;
    return { id, type, subject };
  } catch {
    return {};
  }
}

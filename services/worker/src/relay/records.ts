// From outbox rows to Kafka records. Pure: what must be read is planned here and read by the caller.
import { inEnvelope, topics, type Entry, type MessageCreated, type MessageRange } from '@parley/protocol';
import type { OutgoingRecord } from '../kafka/ports.ts';
import { isTopicName } from '../kafka/topic-names.ts';

export interface OutboxRow {
  id: number;
  topic: string;
  eventKey: string;
  payload: string;
  /** The payload of a row of chat.messages, read and checked; undefined when it is no range. */
  range?: MessageRange | undefined;
}

/** What one turn of the relay sends: ranges of the log to read, ready events, rows that make no sense. */
export interface TurnPlan {
  rowIds: number[];
  ranges: MessageRange[];
  ready: OutgoingRecord[];
  unreadable: { row: OutboxRow; reason: string }[];
}

const CLOUD_EVENT = { 'content-type': 'application/cloudevents+json; charset=utf-8' };

/**
 * Takes rows, oldest first, until they stand for `entriesMax` entries (at least one row). Neighbouring ranges of a room become one.
 * Rooms may be regrouped against each other: only the order within a key means anything, and that is kept.
 */
export function planTurn(rows: readonly OutboxRow[], entriesMax: number): TurnPlan {
  const plan: TurnPlan = { rowIds: [], ranges: [], ready: [], unreadable: [] };
  const lastOf = new Map<string, MessageRange>();
  let entries = 0;
  for (const row of rows) {
    const range = row.topic === topics.messages ? row.range : undefined;
    const weight = range ? range.to_seq - range.from_seq + 1 : 1;
    if (plan.rowIds.length > 0 && entries + weight > entriesMax) break;
    entries += weight;
    plan.rowIds.push(row.id);
    if (range) addRange(plan, lastOf, range);
    else if (row.topic === topics.messages) plan.unreadable.push({ row, reason: 'payload is not a range of messages' });
    else if (!isTopicName(row.topic)) plan.unreadable.push({ row, reason: 'not a topic name' });
    else plan.ready.push({ topic: row.topic, key: row.eventKey, value: row.payload, headers: CLOUD_EVENT });
  }
  return plan;
}

function addRange(plan: TurnPlan, lastOf: Map<string, MessageRange>, range: MessageRange): void {
  const last = lastOf.get(range.room_id);
  if (last && last.to_seq + 1 === range.from_seq) {
    last.to_seq = range.to_seq;
    return;
  }
  const added = { ...range };
  plan.ranges.push(added);
  lastOf.set(range.room_id, added);
}

export function messageRecord(entry: Entry): OutgoingRecord {
  const head = { id: `${entry.room_id}:${entry.seq}`, source: '/parley/chat', subject: entry.room_id, time: entry.created_at };
  const event: MessageCreated = inEnvelope<MessageCreated>(head, 'chat.message.created', entry);
  return { topic: topics.messages, key: entry.room_id, value: JSON.stringify(event), headers: CLOUD_EVENT };
}

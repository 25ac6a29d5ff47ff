// One turn of the relay: the oldest rows are read, sent, and only then deleted. A crash in between sends them again: at least once,
// and the event id (room:seq) lets consumers drop the copy.
//
// Order. AUTO_INCREMENT ids are given at the insert, but rows appear at the commit: a row with a smaller id may appear after one
// with a larger id. Nothing is skipped by that, because every turn starts at the smallest id there is and no position is kept.
// The order within a room holds too: whoever inserts a row for a room holds the lock of the room's row until its commit, so the
// next one can insert (and get its id) only after the former row is visible. A read that sees a later row of a room therefore sees
// all earlier ones, with smaller ids. Across rooms there is no order to keep. The same holds for users in PostgreSQL: a row is
// inserted while the user's row is locked. It does not hold for a cluster in which several servers take writes at once.
import type { Log } from '@parley/kit/process';
import { topics, type Entry, type MessageRange } from '@parley/protocol';
import { RecordsRefused, type EventSink, type OutgoingRecord } from '../kafka/ports.ts';
import { deadLetter, unreadableLetter } from '../letters/relay-letter.ts';
import { chunksOf } from './chunks.ts';
import type { EntryReader, Outbox } from './ports.ts';
import { messageRecord, planTurn } from './records.ts';

/** Rows of one turn. */
const ROWS_MAX = 200;
/** Entries of one turn: at most about 50 MB with the largest allowed content, a few hundred kB ordinarily. */
const ENTRIES_MAX = 1000;
/** Ranges read at the same time. */
const READS_AT_ONCE = 4;

export interface TurnOptions {
  outbox: Outbox;
  /** Undefined for a database without a message log. */
  entries: EntryReader | undefined;
  sink: EventSink;
  log: Log;
  onSent: (topic: string, count: number) => void;
  onDeadLetter: (topic: string) => void;
}

/** Returns how many rows were sent and whether more are waiting. */
export async function relayTurn(options: TurnOptions): Promise<{ sent: number; more: boolean }> {
  const { outbox, log } = options;
  const rows = await outbox.read(ROWS_MAX);
  if (rows.length === 0) return { sent: 0, more: false };
  const plan = planTurn(rows, ENTRIES_MAX);
  const records = [...(await readRanges(options, plan.ranges)), ...plan.ready];
  for (const chunk of chunksOf(records)) await sendOrSetAside(options, chunk);
  for (const { row, reason } of plan.unreadable) {
    log.error({ outbox_id: row.id, topic: row.topic, key: row.eventKey, reason }, 'outbox row set aside as a dead letter');
    // A name that Kafka does not take cannot name a dead-letter topic either.
    const topic = row.topic === topics.messages ? topics.messages : topics.rooms;
    await options.sink.send([unreadableLetter(row, topic, reason)]);
    options.onDeadLetter(topic);
  }
  await outbox.remove(plan.rowIds);
  return { sent: plan.rowIds.length, more: plan.rowIds.length < rows.length || rows.length === ROWS_MAX };
}

async function readRanges({ entries, log }: TurnOptions, ranges: readonly MessageRange[]): Promise<OutgoingRecord[]> {
  const found: Entry[][] = [];
  for (let start = 0; start < ranges.length; start += READS_AT_ONCE) {
    const part = ranges.slice(start, start + READS_AT_ONCE);
    const read = await Promise.all(
      part.map(async ({ room_id, from_seq, to_seq }) => {
        const rows = (await entries?.range(room_id, from_seq, to_seq)) ?? [];
        // Only deleted data can be missing: entries and their outbox row are written in one transaction.
        if (rows.length <= to_seq - from_seq) log.warn({ room_id, from_seq, to_seq, found: rows.length }, 'entries of an event are gone');
        return rows;
      }),
    );
    found.push(...read);
  }
  return found.flat().map(messageRecord);
}

/** Finds a record that Kafka refuses for good by halving, and sends the others in their order. */
async function sendOrSetAside(options: TurnOptions, chunk: readonly OutgoingRecord[]): Promise<void> {
  const [first] = chunk;
  if (!first) return;
  try {
    await options.sink.send(chunk);
    for (const record of chunk) options.onSent(record.topic, 1);
  } catch (error) {
    if (!(error instanceof RecordsRefused)) throw error;
    if (chunk.length > 1) {
      const middle = Math.ceil(chunk.length / 2);
      await sendOrSetAside(options, chunk.slice(0, middle));
      await sendOrSetAside(options, chunk.slice(middle));
      return;
    }
    options.log.error({ topic: first.topic, key: first.key, reason: error.message }, 'record refused by Kafka, set aside as a dead letter');
    await options.sink.send([deadLetter(first, error.message)]);
    options.onDeadLetter(first.topic);
  }
}

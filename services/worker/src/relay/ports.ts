// What the relay needs from outside: an outbox and the entries its rows speak of. The lock and the place to send to have ports of their own.
import type { Entry } from '@parley/protocol';
import type { OutboxRow } from './records.ts';

/** How much waits, and for how long. */
export interface OutboxStats {
  /** Rows that wait, counted up to {@link ROWS_COUNTED_MAX}. */
  rows: number;
  oldestSeconds: number;
}
/** A count over millions of rows would cost more than it tells. */
export const ROWS_COUNTED_MAX = 100_000;

/** Events that a transaction wrote and nobody has sent yet. All reject when the database is away. */
export interface Outbox {
  /** The oldest rows, in the order of their ids. */
  read(limit: number): Promise<OutboxRow[]>;
  remove(ids: readonly number[]): Promise<void>;
  stats(): Promise<OutboxStats>;
}

/** The log of a room; rejects when the database is away. */
export interface EntryReader {
  /** Entries `fromSeq` … `toSeq` of a room, ascending. */
  range(roomId: string, fromSeq: number, toSeq: number): Promise<Entry[]>;
}

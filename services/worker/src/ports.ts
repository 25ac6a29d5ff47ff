// What the relay needs from outside: an outbox, the lock that makes it the only relay of a database, and a place to send to.
import type { Entry } from '@parley/protocol';
import type { OutboxRow } from './domain/records.ts';

export interface OutboxStats {
  /** Rows that wait, counted up to {@link ROWS_COUNTED_MAX}. */
  rows: number;
  oldestSeconds: number;
}
/** A count over millions of rows would cost more than it tells. */
export const ROWS_COUNTED_MAX = 100_000;

export interface Outbox {
  /** The oldest rows, in the order of their ids. */
  read(limit: number): Promise<OutboxRow[]>;
  remove(ids: readonly number[]): Promise<void>;
  stats(): Promise<OutboxStats>;
}

export interface EntryReader {
  /** Entries `fromSeq` … `toSeq` of a room, ascending. */
  range(roomId: string, fromSeq: number, toSeq: number): Promise<Entry[]>;
}

export interface HeldLock {
  readonly isLost: boolean;
  /** Resolves with the reason when the lock can no longer be counted on; never rejects. */
  readonly lost: Promise<string>;
  release(): Promise<void>;
}

export interface RelayLock {
  /** Waits a few seconds for the lock. undefined: another process has it, or `signal` was aborted. Throws when the database is away. */
  acquire(signal: AbortSignal): Promise<HeldLock | undefined>;
}

/** Kafka will never take one of these records. With one record in the call, that one is meant. */
export class RecordsRefused extends Error {
  override readonly name = 'RecordsRefused';
}

/** What Kafka stores. Consumers pass on keys and values as they came, which may be anything. */
export interface SinkRecord {
  topic: string;
  key: string | Buffer | null;
  value: string | Buffer | null;
  headers: Record<string, string>;
}

export interface EventSink {
  /** Resolves when all replicas in sync have the records; keeps their order per key. Throws {@link RecordsRefused} or any other error: try again. */
  send(records: readonly SinkRecord[]): Promise<void>;
  /** From this call on nothing more is sent; a `send` under way rejects at once. */
  abort(reason: string): void;
  close(): Promise<void>;
}

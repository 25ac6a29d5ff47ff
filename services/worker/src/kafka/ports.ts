// A place to send records to.

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

/** Sends records in their order. One call at a time. */
export interface EventSink {
  /** Resolves when all replicas in sync have the records; keeps their order per key. Throws {@link RecordsRefused} or any other error: try again. */
  send(records: readonly SinkRecord[]): Promise<void>;
  /** From this call on nothing more is sent; a `send` under way rejects at once. */
  abort(reason: string): void;
  close(): Promise<void>;
}

/** What the relay sends: text all through. */
export interface OutgoingRecord extends SinkRecord {
  /** Decides the partition, and with it what keeps its order. */
  key: string;
  value: string;
}

// What a consumer of Kafka is made of: records as they come, events as they were checked, and the work that is done with them.
import type { KnownEvent } from './event-schemas.ts';

/** A record as the broker gave it. */
export interface RawRecord {
  topic: string;
  partition: number;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

/** An event that was checked by its schema. */
export interface ReceivedEvent {
  event: KnownEvent;
  /** The event as it stands in the record. */
  text: string;
}

/** What one group of consumers does with events. */
export interface EventHandler {
  /** Names the group of consumers, in Kafka with the prefix `parley-`. */
  name: string;
  topics: readonly string[];
  /**
   * Takes events of one partition, in their order. Kafka delivers at least once: the same events may come again, also while an earlier
   * call of another process is under way. Throws {@link RecordRejected} for what no retry changes, anything else to be called again.
   */
  handle(events: readonly ReceivedEvent[], signal: AbortSignal): Promise<void>;
}

/** The work with this event can never succeed: it becomes a dead letter at once. */
export class RecordRejected extends Error {
  override readonly name = 'RecordRejected';
}

// One room with joined sockets on this replica: puts what arrives in order, delivers it, remembers the newest frames, and reads
// from the database what is missing.
import { encodeEntryFrame } from '@parley/chat-store';
import { messageOf, type Log } from '@parley/kit';
import { Ring } from './domain/ring.ts';
import { Sequencer, type Arrival } from './domain/sequencer.ts';
import type { RoomReader, Topics } from './ports.ts';

/** How long a missing entry may be late before it is read from the database: another replica's publish may be under way. */
const HOLD_MS = 50;
/** Frames kept for joins that are a little behind. */
const RING_CAPACITY = 128;
/** Entries of one read. */
const READ_LIMIT = 500;

export interface FeedOptions {
  roomId: string;
  reader: RoomReader;
  topics: Topics;
  log: Log;
  onRepair: (entries: number) => void;
}

export class RoomFeed {
  readonly roomId: string;
  /** joined sockets and joins under way; the registry closes a feed that has none for a while */
  users = 0;
  idleSinceMs = 0;
  readonly #sequencer = new Sequencer();
  readonly #ring = new Ring(RING_CAPACITY);
  readonly #options: FeedOptions;
  #repair: Promise<void> | undefined;
  #holdTimer: NodeJS.Timeout | undefined;

  constructor(options: FeedOptions) {
    this.roomId = options.roomId;
    this.#options = options;
  }

  /** Seq of the newest delivered entry. */
  get last(): number {
    return this.#sequencer.last;
  }

  /** Delivers from `head` on. Called once, after the subscription stands, with the head read after that. */
  start(head: number): void {
    this.#ring.push([], head);
    this.#deliver(this.#sequencer.start(head));
  }

  /** Frames from this replica's own commits and from others alike: one sequencer, one order. */
  accept(arrival: Arrival): void {
    this.#deliver(this.#sequencer.accept(arrival));
    if (this.#sequencer.waiting) this.#holdTimer ??= setTimeout(() => void this.#afterHold(), HOLD_MS);
  }

  /** The encoded frames from `from` to the newest, or undefined when they have to be read. */
  recent(from: number): readonly Buffer[] | undefined {
    return this.#ring.since(from);
  }

  /** Makes sure that everything up to `seq` is delivered. Throws when the database is away. */
  async catchUp(seq: number): Promise<void> {
    while (this.last < seq) {
      const before = this.last;
      await this.repair();
      // The database holds everything that was ever announced; if it does not, there is nothing to wait for.
      if (this.last === before) return;
    }
  }

  /** Reads and delivers what is newer than `last`; calls at the same time share one read. */
  repair(): Promise<void> {
    this.#repair ??= this.#readMissing().finally(() => (this.#repair = undefined));
    return this.#repair;
  }

  close(): void {
    clearTimeout(this.#holdTimer);
  }

  async #readMissing(): Promise<void> {
    for (;;) {
      const entries = await this.#options.reader.entriesAfter(this.roomId, this.last, READ_LIMIT);
      const first = entries[0];
      if (!first) return;
      this.#options.onRepair(entries.length);
      this.#deliver(this.#sequencer.accept({ first: first.seq, frames: entries.map(encodeEntryFrame) }));
      if (entries.length < READ_LIMIT) return;
    }
  }

  async #afterHold(): Promise<void> {
    this.#holdTimer = undefined;
    if (!this.#sequencer.waiting) return;
    try {
      await this.repair();
    } catch (error) {
      // The periodic comparison of heads tries again.
      this.#options.log.warn({ room_id: this.roomId, reason: messageOf(error) }, 'cannot read missing entries');
    }
  }

  #deliver(frames: readonly Buffer[]): void {
    if (frames.length === 0) return;
    this.#ring.push(frames, this.#sequencer.last);
    for (const frame of frames) this.#options.topics.publish(this.roomId, frame);
  }
}

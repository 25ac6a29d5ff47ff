// One room with joined sockets on this replica: puts what arrives in order, delivers it, remembers the newest frames, and reads
// from the database what is missing.
import { encodeEntryFrame } from '@parley/chat-store';
import { messageOf, type Log } from '@parley/kit/process';
import { traced } from '@parley/kit/tracing';
import { systemEventOf, type SystemEvent } from '@parley/protocol';
import { Ring } from '../domain/ring.ts';
import { Sequencer } from '../domain/sequencer.ts';
import type { RoomReader } from '../ports.ts';
import type { ReplayPages } from './replay-pages.ts';

/** How long a missing entry may be late before it is read from the database: another replica's publish may be under way. */
const HOLD_MS = 50;
/** Frames kept for joins that are a little behind; bytes of them at most, because a frame may be large and rooms are many. */
const RING_LIMITS = { frames: 128, bytes: 128 * 1024 };
/** Entries of one read. */
const READ_LIMIT = 500;

/** What a feed does with the entries when their turn has come. */
export interface Audience {
  publish(roomId: string, frame: Buffer): void;
  /** Called before the system entry is published: whose membership it ends gets nothing from here on. */
  beforeSystemEntry(roomId: string, event: SystemEvent, seq: number): void;
  afterSystemEntry(roomId: string, event: SystemEvent, seq: number): void;
}

export interface FeedOptions {
  roomId: string;
  reader: RoomReader;
  audience: Audience;
  log: Log;
  onRepair: (entries: number) => void;
  pages: ReplayPages;
  /** told when one of its users gives it back */
  onRelease: (feed: RoomFeed) => void;
}

/** Frames of entries that arrived together; `first` is the seq of the first one. */
export interface EntryArrival {
  first: number;
  frames: readonly Buffer[];
  /** events of the system entries among them, by seq */
  events?: ReadonlyMap<number, SystemEvent>;
}

export class RoomFeed {
  readonly roomId: string;
  /** joined sockets and joins under way; the registry closes a feed that has none for a while */
  users = 0;
  idleSinceMs = 0;
  /** resolves when entries of other replicas arrive here */
  subscribed: Promise<void> = Promise.resolve();
  readonly #sequencer = new Sequencer();
  readonly #ring = new Ring(RING_LIMITS);
  readonly #options: FeedOptions;
  readonly #events = new Map<number, SystemEvent>();
  #startedAt: number | undefined;
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
  get started(): boolean {
    return this.#startedAt !== undefined;
  }

  /** The head at which delivery began: system entries up to here have never passed this feed. */
  get startedAt(): number {
    return this.#startedAt ?? 0;
  }

  /** Delivers from `head` on, once: `head` was read from the database after the subscription stood. */
  start(head: number): void {
    if (this.#startedAt !== undefined) return;
    this.#startedAt = head;
    this.#ring.push([], head);
    this.#deliver(this.#sequencer.start(head));
  }

  /** Frames from this replica's own commits and from others alike: one sequencer, one order. */
  accept({ first, frames, events }: EntryArrival): void {
    if (events) for (const [seq, event] of events) if (!this.started || seq > this.last) this.#events.set(seq, event);
    this.#deliver(this.#sequencer.accept({ first, frames }));
    if (this.#sequencer.waiting) this.#holdTimer ??= setTimeout(() => void this.#afterHold(), HOLD_MS);
  }

  /** The encoded frame of a delivered entry, or undefined when it has to be read. */
  frame(seq: number): Buffer | undefined {
    return this.#ring.at(seq) ?? this.#options.pages.at(this.roomId, seq);
  }

  /** Resolves when the frame of an entry that the ring does not have was read. Throws when the database is away. */
  load(seq: number): Promise<void> {
    return this.#options.pages.load(this.roomId, seq, this.#ring.oldest - 1);
  }

  /** Makes sure that everything up to `seq` is delivered. Throws when the database is away. */
  async catchUp(seq: number): Promise<void> {
    // A read that is under way may be older than the question: only one that begins from here on can say that there is nothing.
    if (this.last < seq) await this.#repair?.catch(() => {});
    while (this.last < seq) {
      const before = this.last;
      await this.repair();
      // The database holds everything that was ever announced; if it does not, there is nothing to wait for.
      if (this.last === before) return;
    }
  }

  /** Reads and delivers what is newer than `last`; calls at the same time share one read. */
  repair(): Promise<void> {
    this.#repair ??= traced('repair', { 'parley.room_id': this.roomId, 'parley.after_seq': this.last }, () => this.#readMissing()).finally(
      () => (this.#repair = undefined),
    );
    return this.#repair;
  }

  /** One user less: a socket that left, or a join that came to nothing. */
  release(): void {
    this.#options.onRelease(this);
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
      const events = new Map<number, SystemEvent>();
      for (const entry of entries) {
        const event = systemEventOf(entry);
        if (event) events.set(entry.seq, event);
      }
      this.accept({ first: first.seq, frames: entries.map(encodeEntryFrame), events });
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
    const { audience } = this.#options;
    this.#ring.push(frames, this.last);
    if (this.#events.size === 0) {
      for (const frame of frames) audience.publish(this.roomId, frame);
      return;
    }
    let seq = this.last - frames.length;
    for (const frame of frames) {
      seq++;
      const event = this.#events.get(seq);
      if (event) audience.beforeSystemEntry(this.roomId, event, seq);
      audience.publish(this.roomId, frame);
      if (event) audience.afterSystemEntry(this.roomId, event, seq);
    }
    for (const known of this.#events.keys()) if (known <= seq) this.#events.delete(known);
  }
}

// The rooms with joined sockets on this replica: opens a feed with the first one, closes it some time after the last, and compares
// all heads with the database, because a lost last message leaves no gap behind.
import { messageOf, type Log } from '@parley/kit/process';
import { roomChannel } from '@parley/live';
import { ReplayPages } from './replay-pages.ts';
import { RoomFeed, type Audience, type EntryArrival, type FeedOptions } from './room-feed.ts';
import type { Fanout, RoomReader } from '../ports.ts';

/** Reconnect storms come and go; a subscription is kept this long after its last socket. */
const IDLE_CLOSE_MS = 30_000;
const COMPARE_BATCH = 500;
const TICK_MS = 1000;
/** Heads are compared every so many ticks; at every tick while other replicas cannot be heard. */
const COMPARE_EVERY_TICKS = 5;

export interface RegistryOptions {
  reader: RoomReader;
  fanout: Fanout;
  audience: Audience;
  log: Log;
  /** The database was replaced by another lineage (a restore): positions of before mean nothing any more. */
  onNewEpoch: (epoch: string) => void;
  epoch: string;
  now?: () => number;
  onRepair?: FeedOptions['onRepair'];
}

export class RoomRegistry {
  readonly #options: RegistryOptions;
  readonly #feeds = new Map<string, RoomFeed>();
  readonly #pages: ReplayPages;
  #epoch: string;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #comparing: Promise<void> | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#pages = new ReplayPages({
      read: (roomId, afterSeq, limit) => options.reader.entriesAfter(roomId, afterSeq, limit),
      now: this.#now,
    });
  }

  get size(): number {
    return this.#feeds.size;
  }
  /** Lineage of the database that the feeds follow. */
  get epoch(): string {
    return this.#epoch;
  }
  get(roomId: string): RoomFeed | undefined {
    return this.#feeds.get(roomId);
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /**
   * The room's feed with one more user; its `release` gives it back. The subscription stands when this resolves, so that whatever is
   * read from the database afterwards is followed without a hole by what arrives. A feed that is not started needs a `start`.
   */
  async acquire(roomId: string): Promise<RoomFeed> {
    const feed = this.#feeds.get(roomId) ?? this.#open(roomId);
    feed.users++;
    try {
      await feed.subscribed;
    } catch (error) {
      feed.release();
      throw error;
    }
    return feed;
  }

  #release(feed: RoomFeed): void {
    feed.users--;
    if (feed.users > 0) return;
    feed.idleSinceMs = this.#now();
    // Nobody was let in: somebody asked for a room that is not theirs.
    if (!feed.started) this.#drop(feed);
  }

  /** Entries arrived for a room, from this replica's writer or from another replica. */
  accept(roomId: string, arrival: EntryArrival): void {
    this.#feeds.get(roomId)?.accept(arrival);
  }

  /** Compares every room's newest delivered seq with the database and repairs those that are behind. Single-flight. */
  compareHeads(): Promise<void> {
    this.#comparing ??= this.#compare().finally(() => (this.#comparing = undefined));
    return this.#comparing;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  #now = (): number => (this.#options.now ?? Date.now)();

  #open(roomId: string): RoomFeed {
    const { reader, fanout, audience, log, onRepair = () => {} } = this.#options;
    const feed = new RoomFeed({
      ...{ roomId, reader, audience, log, onRepair, pages: this.#pages },
      onRelease: (given) => this.#release(given),
    });
    feed.idleSinceMs = this.#now();
    feed.subscribed = fanout.subscribe(roomChannel(roomId));
    feed.subscribed.catch(() => {});
    this.#feeds.set(roomId, feed);
    return feed;
  }

  #drop(feed: RoomFeed): void {
    feed.close();
    // After a change of the epoch a join may still give back the former feed: the channel belongs to the newer one by then.
    if (this.#feeds.get(feed.roomId) !== feed) return;
    this.#feeds.delete(feed.roomId);
    this.#options.fanout.unsubscribe(roomChannel(feed.roomId));
  }

  #tick(): void {
    const now = this.#now();
    this.#pages.forget();
    for (const feed of this.#feeds.values()) {
      if (feed.users === 0 && now - feed.idleSinceMs >= IDLE_CLOSE_MS) this.#drop(feed);
    }
    this.#ticks++;
    if (!this.#options.fanout.connected || this.#ticks % COMPARE_EVERY_TICKS === 0) {
      this.compareHeads().catch((error: unknown) => this.#options.log.warn({ reason: messageOf(error) }, 'cannot compare heads'));
    }
  }

  async #compare(): Promise<void> {
    await this.#checkEpoch();
    const roomIds = [...this.#feeds.values()].filter((feed) => feed.started).map((feed) => feed.roomId);
    for (let start = 0; start < roomIds.length; start += COMPARE_BATCH) {
      const heads = await this.#options.reader.heads(roomIds.slice(start, start + COMPARE_BATCH));
      for (const [roomId, head] of heads) {
        const feed = this.#feeds.get(roomId);
        if (feed?.started && feed.last < head) await feed.catchUp(head);
      }
    }
  }

  async #checkEpoch(): Promise<void> {
    const epoch = await this.#options.reader.epoch();
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#options.log.warn({ epoch }, 'the chat database has another epoch: it was restored; all sockets start anew');
    for (const feed of [...this.#feeds.values()]) this.#drop(feed);
    this.#pages.clear();
    this.#options.onNewEpoch(epoch);
  }
}

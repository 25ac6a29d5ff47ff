// The rooms with joined sockets on this replica: opens a feed with the first one, closes it some time after the last, and compares
// all heads with the database, because a lost last message leaves no gap behind.
import { messageOf, type Log } from '@parley/kit';
import { RoomFeed, type FeedOptions } from './room-feed.ts';
import type { Fanout, RoomReader, Topics } from './ports.ts';

/** Reconnect storms come and go; a subscription is kept this long after its last socket. */
const IDLE_CLOSE_MS = 30_000;
const COMPARE_BATCH = 500;
const TICK_MS = 1000;
/** Heads are compared every so many ticks; at every tick while other replicas cannot be heard. */
const COMPARE_EVERY_TICKS = 5;

export interface RegistryOptions {
  reader: RoomReader;
  fanout: Fanout;
  topics: Topics;
  log: Log;
  now?: () => number;
  onRepair?: FeedOptions['onRepair'];
}

export class RoomRegistry {
  readonly #options: RegistryOptions;
  readonly #feeds = new Map<string, RoomFeed>();
  readonly #opening = new Map<string, Promise<RoomFeed>>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #comparing: Promise<void> | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#feeds.size;
  }
  get(roomId: string): RoomFeed | undefined {
    return this.#feeds.get(roomId);
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** The room's feed with one more user; `release` gives it back. Throws when the database is away. */
  async acquire(roomId: string): Promise<RoomFeed> {
    const open = this.#feeds.get(roomId);
    if (open && !this.#opening.has(roomId)) {
      open.users++;
      return open;
    }
    let opening = this.#opening.get(roomId);
    if (!opening) {
      opening = this.#open(roomId).finally(() => this.#opening.delete(roomId));
      this.#opening.set(roomId, opening);
    }
    const feed = await opening;
    feed.users++;
    return feed;
  }

  release(feed: RoomFeed): void {
    feed.users--;
    if (feed.users === 0) feed.idleSinceMs = this.#now();
  }

  /** Something arrived for a room, from this replica's writer or from another replica. */
  accept(roomId: string, first: number, frames: readonly Buffer[]): void {
    this.#feeds.get(roomId)?.accept({ first, frames });
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

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  /** Subscribe first, read the head afterwards: what is committed in between arrives by the subscription and waits in the sequencer. */
  async #open(roomId: string): Promise<RoomFeed> {
    const { reader, fanout, topics, log, onRepair = () => {} } = this.#options;
    const feed = new RoomFeed({ roomId, reader, topics, log, onRepair });
    feed.idleSinceMs = this.#now();
    this.#feeds.set(roomId, feed);
    try {
      await fanout.subscribe(roomId);
      const heads = await reader.heads([roomId]);
      feed.start(heads.get(roomId) ?? 0);
      return feed;
    } catch (error) {
      this.#drop(feed);
      throw error;
    }
  }

  #drop(feed: RoomFeed): void {
    feed.close();
    this.#feeds.delete(feed.roomId);
    this.#options.fanout.unsubscribe(feed.roomId);
  }

  #tick(): void {
    const now = this.#now();
    for (const feed of this.#feeds.values()) {
      if (feed.users === 0 && now - feed.idleSinceMs >= IDLE_CLOSE_MS && !this.#opening.has(feed.roomId)) this.#drop(feed);
    }
    this.#ticks++;
    if (!this.#options.fanout.connected || this.#ticks % COMPARE_EVERY_TICKS === 0) {
      this.compareHeads().catch((error: unknown) => this.#options.log.warn({ reason: messageOf(error) }, 'cannot compare heads'));
    }
  }

  async #compare(): Promise<void> {
    const roomIds = [...this.#feeds.keys()].filter((roomId) => !this.#opening.has(roomId));
    for (let start = 0; start < roomIds.length; start += COMPARE_BATCH) {
      const heads = await this.#options.reader.heads(roomIds.slice(start, start + COMPARE_BATCH));
      for (const [roomId, head] of heads) {
        const feed = this.#feeds.get(roomId);
        if (feed && feed.last < head) await feed.catchUp(head);
      }
    }
  }
}

// Presence of this replica's users in the cluster: online with the first socket anywhere, offline some seconds after the last one is
// gone, and nobody online for long after a crash (ADR 0007). Hints throughout: without Redis presence is silent, never wrong for long.
import { messageOf, type Log } from '@parley/kit/process';
import { OFFLINE_GRACE_MS, type RoomPresenceFrame } from '@parley/protocol';
import type { PublishToRoom } from '../ports.ts';
import { LocalList } from './local-list.ts';
import { News } from './news.ts';
import type { RoomPresence } from './room-presence.ts';
import { BEAT_EVERY_MS, LEASE_MS, type PresenceStore } from './store.ts';
import { Teller } from './teller.ts';

const TICK_MS = 250;

export interface PresenceOptions {
  store: PresenceStore;
  rooms: RoomPresence;
  /** active rooms of users; one query for all of a tick */
  roomsOf: (userIds: readonly number[]) => Promise<ReadonlyMap<number, readonly string[]>>;
  publishToRoom: PublishToRoom;
  log: Log;
  now: () => number;
  onEvents: (outcome: 'sent' | 'suppressed', count: number) => void;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #list: LocalList;
  readonly #news = new News();
  readonly #teller: Teller;
  /** users of an instance that is gone */
  readonly #lost = new Map<number, string>();
  #lastBeatMs = -Infinity;
  /** Until then other instances may not have renewed their leases yet: who is online nowhere is not known. */
  #uncertainUntilMs = -Infinity;
  /** A command failed: whether it was carried out, or will be, is not known. */
  #doubtful = false;
  #keeping: Promise<void> | undefined;
  #telling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#list = new LocalList(options.store, options.now);
    this.#teller = new Teller({ ...options, news: this.#news, isHere: (userId) => this.isHere(userId) });
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS);
  }

  /** The list stays for the grace: another replica tells of those who do not come back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    // A beat that is under way would give the lease its full length again.
    await this.#keeping;
    await this.#options.store.leave(OFFLINE_GRACE_MS).catch(() => {});
  }

  /** The first socket of a user on this replica. */
  connected(userId: number, name: string): void {
    this.#list.connected(userId, name);
  }

  /** The last socket of a user on this replica is gone. */
  disconnected(userId: number): void {
    this.#list.disconnected(userId);
  }

  /** For a member who joins a room: who is online there, with the joiner, even when the answer was read a moment before. */
  async ofRoom(roomId: string, joiner: number): Promise<RoomPresenceFrame> {
    const frame = await this.#options.rooms.of(roomId);
    const { online_users: listed, online_count: count } = frame;
    if (listed === undefined) return { ...frame, online_count: Math.max(1, count) };
    return listed.includes(joiner) ? frame : { ...frame, online_users: [...listed, joiner], online_count: count + 1 };
  }

  /** Those who have sockets here, or had them a moment ago. */
  isHere(userId: number): boolean {
    return this.#list.has(userId);
  }

  /**
   * One round: the lease and the list, then what rooms are told. A slow database holds up the telling, never the lease. Never throws;
   * what failed is tried again at the next tick.
   */
  async tick(): Promise<void> {
    if (this.#closed) return;
    this.#options.rooms.sweep();
    this.#keeping ??= this.#keep()
      .catch((error: unknown) => {
        this.#doubtful = true;
        this.#waits(error);
      })
      .finally(() => (this.#keeping = undefined));
    await this.#keeping;
    this.#telling ??= this.#teller
      .tell()
      .catch((error: unknown) => this.#waits(error))
      .finally(() => (this.#telling = undefined));
    await this.#telling;
  }

  #waits(error: unknown): void {
    this.#options.log.debug({ reason: messageOf(error) }, 'presence waits');
  }

  async #keep(): Promise<void> {
    await this.#beat();
    this.#news.add(await this.#list.arrive());
    if (this.#isUncertain()) return;
    this.#news.add(await this.#list.depart());
    await this.#settleLost();
  }

  async #beat(): Promise<void> {
    const { store, now } = this.#options;
    const sinceMs = now() - this.#lastBeatMs;
    if (sinceMs < BEAT_EVERY_MS && !this.#doubtful) return;
    const { list, inTime, gone } = await store.beat();
    this.#lastBeatMs = now();
    if (!inTime || sinceMs >= LEASE_MS) this.#uncertainUntilMs = now() + BEAT_EVERY_MS;
    if (list !== 'kept' || this.#doubtful) this.#list.writeAgain({ isNews: list === 'claimed' });
    this.#doubtful = false;
    if (gone.length === 0 || this.#isUncertain()) return;
    for (const [userId, name] of await store.claim(gone)) this.#lost.set(userId, name);
  }

  #isUncertain(): boolean {
    return this.#options.now() < this.#uncertainUntilMs;
  }

  async #settleLost(): Promise<void> {
    if (this.#lost.size === 0) return;
    const { store, now } = this.#options;
    const lost = new Map([...this.#lost].filter(([userId]) => !this.#list.has(userId)));
    // Nobody knows when the instance ended; it lived one lease ago.
    const lastSeenMs = now() - LEASE_MS;
    // They are in no list of this instance; removing them again only asks who is online nowhere, and notes when they were seen.
    const gone = await store.remove([...lost.keys()], lastSeenMs);
    this.#lost.clear();
    this.#news.add([...gone].map((userId) => ({ userId, name: lost.get(userId) ?? '', lastSeenMs })));
  }
}

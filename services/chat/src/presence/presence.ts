// Presence of this replica's users in the cluster: online with the first socket anywhere, offline some seconds after the last one is
// gone, and nobody online for long after a crash (ADR 0007). Hints throughout: without Redis presence is silent, never wrong for long.
import { messageOf, type Log } from '@parley/kit';
import { OFFLINE_GRACE_MS, type RoomPresenceFrame } from '@parley/protocol';
import type { PublishToRoom } from '../context.ts';
import { Announcements, type Change } from './announcements.ts';
import type { RoomPresence } from './room-presence.ts';
import { BEAT_EVERY_MS, type PresenceStore } from './store.ts';

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
  readonly #announcements = new Announcements();
  /** users with sockets here, and those whose grace runs: all of them are in this instance's list */
  readonly #here = new Map<number, string>();
  /** users that are not in the list yet */
  readonly #arriving = new Map<number, string>();
  /** end of the grace of those whose last socket here is gone */
  readonly #leaving = new Map<number, number>();
  /** users of an instance that is gone */
  readonly #lost = new Map<number, string>();
  #lastBeatMs = -Infinity;
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS);
  }

  /** The list stays for the grace: another replica tells of those who do not come back. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#options.store.leave(OFFLINE_GRACE_MS).catch(() => {});
  }

  /** The first socket of a user on this replica. */
  connected(userId: number, name: string): void {
    // Back within the grace: nobody heard of the absence, so nobody hears of the return.
    if (this.#leaving.delete(userId)) return;
    this.#here.set(userId, name);
    this.#arriving.set(userId, name);
  }

  /** The last socket of a user on this replica is gone. */
  disconnected(userId: number): void {
    if (this.#here.has(userId)) this.#leaving.set(userId, this.#options.now() + OFFLINE_GRACE_MS);
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
    return this.#here.has(userId);
  }

  /** One round of beat, arrivals, departures and announcements. Never throws; what failed is tried again at the next tick. */
  async tick(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      this.#options.rooms.sweep();
      await this.#beat();
      const changes = [...(await this.#arrive()), ...(await this.#depart()), ...(await this.#settleLost())];
      await this.#announce(changes);
    } catch (error) {
      this.#options.log.debug({ reason: messageOf(error) }, 'presence waits');
    } finally {
      this.#running = false;
    }
  }

  async #beat(): Promise<void> {
    const { store, now } = this.#options;
    if (now() - this.#lastBeatMs < BEAT_EVERY_MS) return;
    const { known, lost } = await store.beat();
    this.#lastBeatMs = now();
    // Redis has lost the list, or it was claimed while this instance could not beat.
    if (!known) for (const [userId, name] of this.#here) this.#arriving.set(userId, name);
    for (const [userId, name] of lost) if (!this.#here.has(userId)) this.#lost.set(userId, name);
  }

  async #arrive(): Promise<Change[]> {
    if (this.#arriving.size === 0) return [];
    const arriving = new Map(this.#arriving);
    const fresh = await this.#options.store.add(arriving);
    for (const userId of arriving.keys()) this.#arriving.delete(userId);
    return [...fresh].map((userId) => ({ userId, name: arriving.get(userId) ?? '', lastSeenMs: undefined }));
  }

  async #depart(): Promise<Change[]> {
    const { store, now } = this.#options;
    const due = [...this.#leaving].filter(([, untilMs]) => untilMs <= now()).map(([userId]) => userId);
    if (due.length === 0) return [];
    const seenAtMs = now() - OFFLINE_GRACE_MS;
    const gone = await store.remove(due, seenAtMs);
    const changes: Change[] = [];
    for (const userId of due) {
      const name = this.#here.get(userId) ?? '';
      // Came back while Redis answered: the removal has to be undone.
      if (!this.#leaving.delete(userId)) {
        this.#arriving.set(userId, name);
        continue;
      }
      this.#here.delete(userId);
      this.#arriving.delete(userId);
      if (gone.has(userId)) changes.push({ userId, name, lastSeenMs: seenAtMs });
    }
    return changes;
  }

  async #settleLost(): Promise<Change[]> {
    if (this.#lost.size === 0) return [];
    const { store, now } = this.#options;
    const lost = new Map([...this.#lost].filter(([userId]) => !this.#here.has(userId)));
    // They are in no list of this instance; removing them again only asks who is online nowhere, and notes when they were seen.
    const gone = await store.remove([...lost.keys()], now());
    this.#lost.clear();
    return [...gone].map((userId) => ({ userId, name: lost.get(userId) ?? '', lastSeenMs: now() }));
  }

  async #announce(changes: readonly Change[]): Promise<void> {
    const { roomsOf, publishToRoom, rooms, onEvents, now } = this.#options;
    if (changes.length > 0) {
      const found = await roomsOf(changes.map((change) => change.userId));
      const plan = this.#announcements.plan(changes, found, now());
      for (const [roomId, frames] of plan.frames) publishToRoom(roomId, frames);
      if (plan.sent > 0) onEvents('sent', plan.sent);
      if (plan.suppressed > 0) onEvents('suppressed', plan.suppressed);
    }
    for (const roomId of this.#announcements.takeCounts(now())) {
      const { room_id, online_count } = await rooms.of(roomId);
      publishToRoom(roomId, [{ type: 'room_presence', room_id, online_count }]);
    }
  }
}

// Tells rooms the news, as far as the budget allows, and counts to the others.
import type { PublishToRoom } from '../ports.ts';
import { Announcements, type DueCount } from './announcements.ts';
import type { Change, News } from './news.ts';
import type { RoomPresence } from './room-presence.ts';
import type { PresenceStore } from './store.ts';

export interface TellerOptions {
  news: News;
  store: PresenceStore;
  rooms: RoomPresence;
  isHere: (userId: number) => boolean;
  roomsOf: (userIds: readonly number[]) => Promise<ReadonlyMap<number, readonly string[]>>;
  publishToRoom: PublishToRoom;
  now: () => number;
  onEvents: (outcome: 'sent' | 'suppressed', count: number) => void;
}

export class Teller {
  readonly #options: TellerOptions;
  readonly #announcements = new Announcements();

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** One round. Rejects when the database or Redis is away; nothing is lost by that. */
  async tell(): Promise<void> {
    const { news } = this.#options;
    const changes = news.take();
    try {
      if (changes.length > 0) await this.#tellChanges(changes);
    } catch (error) {
      news.putBack(changes);
      throw error;
    }
    await this.#tellCounts();
  }

  async #tellChanges(changes: readonly Change[]): Promise<void> {
    const { store, isHere, roomsOf, publishToRoom, onEvents, now } = this.#options;
    const userIds = changes.map((change) => change.userId);
    const rooms = await roomsOf(userIds);
    // Another replica may have told the contrary since: what is not true any more would be the last that rooms hear.
    const online = await store.online(userIds);
    const stillTrue = changes.filter(({ userId, lastSeenMs }) => (online.has(userId) || isHere(userId)) === (lastSeenMs === undefined));
    const plan = this.#announcements.plan(stillTrue, rooms, now());
    for (const [roomId, frames] of plan.frames) publishToRoom(roomId, frames);
    if (plan.sent > 0) onEvents('sent', plan.sent);
    if (plan.suppressed > 0) onEvents('suppressed', plan.suppressed);
  }

  async #tellCounts(): Promise<void> {
    const due = this.#announcements.takeDue(this.#options.now());
    await Promise.all(due.map((room) => this.#tellCount(room)));
  }

  async #tellCount(room: DueCount): Promise<void> {
    const { rooms, publishToRoom, now } = this.#options;
    const [room_id, newsAtMs] = room;
    const online_count = await rooms.countAfter(room_id, newsAtMs).catch(() => undefined);
    if (online_count === undefined) return this.#announcements.waitForCount(room);
    this.#announcements.counted(room_id, now());
    publishToRoom(room_id, [{ type: 'room_presence', room_id, online_count }]);
  }
}

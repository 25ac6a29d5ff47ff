// Who of a room is online, for the one who joins: read once a second and room at most, whoever asks.
import { PRESENCE_LIST_MAX, type RoomPresenceFrame } from '@parley/protocol';

/** How old an answer may be; a large room's costs more and may be older. */
const FRESH_MS = 1000;
const FRESH_LARGE_MS = 5000;
/** Member lists are read again after this time. */
const MEMBERS_FRESH_MS = 5000;
/** Large rooms whose members are remembered. */
const LARGE_ROOMS_MAX = 200;
const LARGE_MEMBERS_FRESH_MS = 30_000;

export interface RoomPresenceOptions {
  /** active members, or 'many' */
  members: (roomId: string) => Promise<readonly number[] | 'many'>;
  /** all active members of a large room */
  memberIds: (roomId: string) => Promise<readonly number[]>;
  online: (userIds: readonly number[]) => Promise<ReadonlySet<number>>;
  now: () => number;
}

interface Known<T> {
  value: Promise<T>;
  atMs: number;
  untilMs: number;
}

export class RoomPresence {
  readonly #options: RoomPresenceOptions;
  readonly #frames = new Map<string, Known<RoomPresenceFrame>>();
  readonly #members = new Map<string, Known<readonly number[] | 'many'>>();
  readonly #large = new Map<string, Known<readonly number[]>>();

  constructor(options: RoomPresenceOptions) {
    this.#options = options;
  }

  of(roomId: string): Promise<RoomPresenceFrame> {
    return this.#once(this.#frames, roomId, FRESH_MS, () => this.#read(roomId));
  }

  /** The count for those who are in the room; undefined while the answer at hand is older than the news, so that nobody keeps it. */
  async countAfter(roomId: string, newsAtMs: number): Promise<number | undefined> {
    const known = this.#frames.get(roomId);
    if (known && known.untilMs > this.#options.now() && known.atMs < newsAtMs) return undefined;
    return (await this.of(roomId)).online_count;
  }

  /** Forgets what is too old to be used. */
  sweep(): void {
    const now = this.#options.now();
    for (const known of [this.#frames, this.#members, this.#large]) {
      for (const [roomId, { untilMs }] of known) if (untilMs <= now) known.delete(roomId);
    }
  }

  async #read(room_id: string): Promise<RoomPresenceFrame> {
    const { members, online } = this.#options;
    const ids = await this.#once(this.#members, room_id, MEMBERS_FRESH_MS, () => members(room_id));
    if (ids === 'many') return this.#count(room_id);
    const found = await online(ids);
    const online_users = ids.filter((userId) => found.has(userId)).slice(0, PRESENCE_LIST_MAX);
    return { type: 'room_presence', room_id, online_users, online_count: online_users.length };
  }

  async #count(room_id: string): Promise<RoomPresenceFrame> {
    const { memberIds, online, now } = this.#options;
    if (this.#large.size >= LARGE_ROOMS_MAX && !this.#large.has(room_id)) this.#large.delete(this.#large.keys().next().value as string);
    const ids = await this.#once(this.#large, room_id, LARGE_MEMBERS_FRESH_MS, () => memberIds(room_id));
    const found = await online(ids);
    const known = this.#frames.get(room_id);
    if (known) known.untilMs = now() + FRESH_LARGE_MS;
    return { type: 'room_presence', room_id, online_count: found.size };
  }

  /** One read for all who ask while it runs and while it is fresh; a failed one is not kept. */
  #once<T>(known: Map<string, Known<T>>, roomId: string, freshMs: number, read: () => Promise<T>): Promise<T> {
    const before = known.get(roomId);
    const now = this.#options.now();
    if (before && before.untilMs > now) return before.value;
    const value = read();
    known.set(roomId, { value, atMs: now, untilMs: now + freshMs });
    value.catch(() => known.delete(roomId));
    return value;
  }
}

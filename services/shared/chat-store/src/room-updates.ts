// `room_updated` for members who do not look at the room: at most once a room and second, all rooms of a tick in one payload. Every
// process that commits entries has one; replicas look up which of the members have sockets there.
import { ROOM_UPDATED_MEMBERS_MAX } from '@parley/protocol';
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { messageOf, type Log } from '@parley/kit/process';

/** Pub/sub channel: one {@link RoomUpdate} a line. */
export const ROOM_UPDATES_CHANNEL = 'chat:updates';
const TICK_MS = 1000;
/** Members of all rooms of one tick; the rest waits for the next one. */
const MEMBERS_PER_TICK = 20_000;
/** Rooms that wait for a tick; beyond it an update is not sent: the room's next message brings another. */
const ROOMS_WAITING_MAX = 100_000;
/** Rooms whose members are remembered. */
const ROOMS_KNOWN_MAX = 10_000;

/** Schema of the note to members who do not look at a room that grew. */
export const RoomUpdate = Type.Object({
  room_id: Type.String(),
  last_seq: Type.Integer({ minimum: 1 }),
  last_message_at: Type.String(),
  members: Type.Array(Type.Integer({ minimum: 1 }), { maxItems: ROOM_UPDATED_MEMBERS_MAX }),
});
export type RoomUpdate = Static<typeof RoomUpdate>;

const check = TypeCompiler.Compile(RoomUpdate);

/** The updates in a payload; undefined when it is in another format. */
export function parseRoomUpdates(text: string): RoomUpdate[] | undefined {
  try {
    const updates = text.split('\n').map((line) => JSON.parse(line) as unknown);
    return updates.every((update) => check.Check(update)) ? updates : undefined;
  } catch {
    return undefined;
  }
}

/** A room has grown. `memberVersion` is the one under which the entry was committed, so that the members are those of that moment. */
export interface GrownRoom {
  roomId: string;
  lastSeq: number;
  lastMessageAt: string;
  memberVersion: number;
}

/** What the notes need: members of rooms, and a way to publish. */
export interface RoomUpdatesOptions {
  /** active members of rooms; 'many' for those with more than `max` */
  members: (roomIds: readonly string[], limits: { max: number }) => Promise<ReadonlyMap<string, readonly number[] | 'many'>>;
  publish: (payload: Buffer) => void;
  log: Log;
}

interface Known {
  memberVersion: number;
  members: readonly number[] | 'many';
}

/** Gathers rooms that grew and tells of each once a second at most. */
export class RoomUpdates {
  readonly #options: RoomUpdatesOptions;
  readonly #grown = new Map<string, GrownRoom>();
  readonly #known = new Map<string, Known>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(options: RoomUpdatesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS);
  }
  close(): void {
    clearInterval(this.#timer);
  }

  add(room: GrownRoom): void {
    if (this.#grown.size < ROOMS_WAITING_MAX || this.#grown.has(room.roomId)) this.#grown.set(room.roomId, room);
  }

  /** Publishes what has grown since the last tick. Never throws: it is a hint, and the next message brings another. */
  async tick(): Promise<void> {
    if (this.#running || this.#grown.size === 0) return;
    this.#running = true;
    try {
      await this.#readMembers();
      const lines = this.#take().map((update) => JSON.stringify(update));
      if (lines.length > 0) this.#options.publish(Buffer.from(lines.join('\n')));
    } catch (error) {
      this.#options.log.debug({ reason: messageOf(error) }, 'room updates wait');
    } finally {
      this.#running = false;
    }
  }

  #isKnown({ roomId, memberVersion }: GrownRoom): boolean {
    return (this.#known.get(roomId)?.memberVersion ?? -1) >= memberVersion;
  }

  async #readMembers(): Promise<void> {
    const unknown = [...this.#grown.values()].filter((room) => !this.#isKnown(room)).slice(0, ROOMS_KNOWN_MAX);
    if (unknown.length === 0) return;
    const members = await this.#options.members(
      unknown.map((room) => room.roomId),
      { max: ROOM_UPDATED_MEMBERS_MAX },
    );
    for (const { roomId, memberVersion } of unknown) {
      this.#known.delete(roomId);
      this.#known.set(roomId, { memberVersion, members: members.get(roomId) ?? [] });
    }
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= ROOMS_KNOWN_MAX) break;
      this.#known.delete(oldest);
    }
  }

  #take(): RoomUpdate[] {
    const updates: RoomUpdate[] = [];
    let count = 0;
    for (const room of this.#grown.values()) {
      if (count >= MEMBERS_PER_TICK) break;
      // Grown again with other members while the database answered: the next tick reads them.
      if (!this.#isKnown(room)) continue;
      this.#grown.delete(room.roomId);
      const members = this.#known.get(room.roomId)?.members ?? [];
      if (members === 'many' || members.length === 0) continue;
      count += members.length;
      updates.push({ room_id: room.roomId, last_seq: room.lastSeq, last_message_at: room.lastMessageAt, members: [...members] });
    }
    return updates;
  }
}

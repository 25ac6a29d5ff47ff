// Older entries for replays, read from the database in pages that all sockets of this replica share: after a crash of another replica
// thousands of them ask for the same entries within a second.
//
// A replay holds its position only, never a page, so this is all the memory that replays take, however many readers are slow: PAGES_MAX_BYTES
// for the pages, and READS_MAX pages that are being read. When the pages of more rooms are needed than fit, the least recently used one goes
// and is read again by who still needs it.
import { encodeEntryFrame } from '@parley/chat-store';
import type { Entry } from '@parley/protocol';

/** Encoded frames of all pages. */
const PAGES_MAX_BYTES = 32 * 1024 * 1024;
/** Encoded frames of one page, about: the size of a room's entries is known from its last page. */
const PAGE_BYTES = 256 * 1024;
/** Entries of a room's first page. */
const FIRST_ENTRIES = 64;
const ENTRIES_MAX = 512;
/** Reads at the same time. */
const READS_MAX = 4;
/** How long a page is kept for later joins. */
const KEEP_MS = 5000;

export interface ReplayPagesOptions {
  /** entries of a room after a seq, ascending */
  read: (roomId: string, afterSeq: number, limit: number) => Promise<Entry[]>;
  now: () => number;
  pagesMaxBytes?: number;
}

interface Page {
  roomId: string;
  first: number;
  frames: readonly Buffer[];
  bytes: number;
  readAtMs: number;
  usedAt: number;
}

interface Reading {
  first: number;
  /** the last seq that is asked for */
  last: number;
  /** the last seq that came */
  end: number;
  done: Promise<void>;
}

interface Room {
  pages: Page[];
  reading: Reading[];
  meanBytes: number;
}

export class ReplayPages {
  readonly #options: ReplayPagesOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #waiting: (() => void)[] = [];
  #reads = 0;
  #uses = 0;
  #bytes = 0;
  /** counts `clear`: a read that began before it is of the former database */
  #generation = 0;

  constructor(options: ReplayPagesOptions) {
    this.#options = options;
  }

  /** Encoded bytes that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The encoded frame of an entry, if its page is in memory. */
  at(roomId: string, seq: number): Buffer | undefined {
    const pages = this.#rooms.get(roomId)?.pages;
    if (!pages) return undefined;
    for (const page of pages) {
      const frame = page.frames[seq - page.first];
      if (!frame) continue;
      page.usedAt = ++this.#uses;
      return frame;
    }
    return undefined;
  }

  /** Reads the page with `seq`, or waits for the read that brings it. Entries after `until` are not needed. Throws when it is not there. */
  async load(roomId: string, seq: number, until: number): Promise<void> {
    const room = this.#roomOf(roomId);
    let reading = room.reading.find(({ first, last }) => first <= seq && seq <= last);
    if (!reading) {
      const entries = room.meanBytes > 0 ? Math.min(ENTRIES_MAX, Math.max(1, Math.floor(PAGE_BYTES / room.meanBytes))) : FIRST_ENTRIES;
      // Pages begin at multiples of a power of two, so that replays from places near to each other share them. Half of a page at most is
      // before what was asked for.
      const grid = 2 ** Math.floor(Math.log2(entries)) / 2;
      const first = grid > 1 ? seq - ((seq - 1) % grid) : seq;
      const last = Math.max(seq, Math.min(first + entries - 1, until));
      const next: Reading = { first, last, end: 0, done: Promise.resolve() };
      next.done = this.#read(roomId, room, next).finally(() => {
        room.reading.splice(room.reading.indexOf(next), 1);
        this.#forgetEmpty(roomId, room);
      });
      room.reading.push(next);
      reading = next;
    }
    await reading.done;
    if (reading.end < seq) throw new Error(`the database has no entry from ${reading.end + 1} on`);
  }

  /** Drops what was read some time ago. */
  forget(): void {
    const now = this.#options.now();
    for (const { pages } of [...this.#rooms.values()]) {
      for (const page of [...pages]) if (now - page.readAtMs >= KEEP_MS) this.#drop(page);
    }
  }

  /** Drops everything: the database is another one. */
  clear(): void {
    this.#generation++;
    this.#rooms.clear();
    this.#bytes = 0;
  }

  async #read(roomId: string, room: Room, reading: Reading): Promise<void> {
    const { first, last } = reading;
    const generation = this.#generation;
    const entries = await this.#inTurn(() => this.#options.read(roomId, first - 1, last - first + 1));
    if (generation !== this.#generation) throw new Error('the database was replaced by another one');
    reading.end = first - 1 + entries.length;
    if (entries.length === 0) return;
    if (entries.at(-1)?.seq !== reading.end) throw new Error(`the database has a hole after entry ${first - 1}`);
    const frames = entries.map(encodeEntryFrame);
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    room.meanBytes = Math.ceil(bytes / frames.length);
    room.pages.push({ roomId, first, frames, bytes, readAtMs: this.#options.now(), usedAt: ++this.#uses });
    this.#bytes += bytes;
    this.#makeRoom();
  }

  /** At most READS_MAX at a time, in the order in which they were asked for. */
  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (this.#reads >= READS_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reads++;
    try {
      return await read();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#reads--;
    }
  }

  #makeRoom(): void {
    const { pagesMaxBytes = PAGES_MAX_BYTES } = this.#options;
    while (this.#bytes > pagesMaxBytes) {
      let oldest: Page | undefined;
      let count = 0;
      for (const { pages } of this.#rooms.values()) {
        for (const page of pages) {
          count++;
          if (!oldest || page.usedAt < oldest.usedAt) oldest = page;
        }
      }
      // The newest stays whatever its size: somebody waits for it.
      if (!oldest || count === 1) return;
      this.#drop(oldest);
    }
  }

  #drop(page: Page): void {
    const room = this.#rooms.get(page.roomId);
    const at = room?.pages.indexOf(page) ?? -1;
    if (!room || at < 0) return;
    room.pages.splice(at, 1);
    this.#bytes -= page.bytes;
    this.#forgetEmpty(page.roomId, room);
  }

  #roomOf(roomId: string): Room {
    let room = this.#rooms.get(roomId);
    if (!room) this.#rooms.set(roomId, (room = { pages: [], reading: [], meanBytes: 0 }));
    return room;
  }

  #forgetEmpty(roomId: string, room: Room): void {
    if (room.pages.length === 0 && room.reading.length === 0 && this.#rooms.get(roomId) === room) this.#rooms.delete(roomId);
  }
}

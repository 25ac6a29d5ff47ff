// Reads of older entries for joins. Joins of one room that come together share one read, and those that come a little later get what
// was read: after a crash of another replica thousands of sockets ask for the same entries within a second.
import { encodeEntryFrame } from '@parley/chat-store';
import type { Entry } from '@parley/protocol';

/** How long read frames are kept for later joins. */
const KEEP_MS = 5000;

export interface ReplayReadsOptions {
  /** entries after a seq, ascending, a page of them */
  read: (afterSeq: number) => Promise<Entry[]>;
  /** true when memory holds everything from this seq on */
  covered: (seq: number) => boolean;
  now: () => number;
}

interface Block {
  from: number;
  frames: readonly Buffer[];
  readAtMs: number;
}

interface Gathering {
  from: number;
  done: Promise<void>;
}

export class ReplayReads {
  readonly #options: ReplayReadsOptions;
  #block: Block | undefined;
  #running: Promise<void> = Promise.resolve();
  /** the read that has not begun yet; who comes now still widens it */
  #next: Gathering | undefined;

  constructor(options: ReplayReadsOptions) {
    this.#options = options;
  }

  /** Frames from `from` up to where memory takes over. Throws when the database is away. */
  async from(from: number): Promise<readonly Buffer[]> {
    for (;;) {
      if (this.#options.covered(from)) return [];
      const block = this.#block;
      if (block && block.from <= from && this.#options.covered(block.from + block.frames.length)) {
        return block.frames.slice(from - block.from);
      }
      await this.#gather(from);
    }
  }

  /** Drops what was read some time ago. */
  forget(): void {
    if (this.#block && this.#options.now() - this.#block.readAtMs >= KEEP_MS) this.#block = undefined;
  }

  #gather(from: number): Promise<void> {
    if (this.#next) {
      this.#next.from = Math.min(this.#next.from, from);
      return this.#next.done;
    }
    const next: Gathering = { from, done: Promise.resolve() };
    next.done = this.#running
      .catch(() => {})
      .then(() => new Promise((resolve) => setImmediate(resolve)))
      .then(() => {
        this.#next = undefined;
        this.#running = this.#read(next.from);
        return this.#running;
      });
    this.#next = next;
    return next.done;
  }

  async #read(from: number): Promise<void> {
    const frames: Buffer[] = [];
    while (!this.#options.covered(from + frames.length)) {
      const entries = await this.#options.read(from + frames.length - 1);
      if (entries.length === 0) throw new Error(`the database has no entry from ${from + frames.length} on`);
      for (const entry of entries) frames.push(encodeEntryFrame(entry));
    }
    this.#block = { from, frames, readAtMs: this.#options.now() };
  }
}

// Writes long answers to one socket in pieces, no faster than its reader takes them. Several answers share the socket by bytes, so that a
// room with short messages is not behind one with long ones. Pure: what the socket is and where frames come from is given.

/** What an answer has at the moment: its next frame, nothing yet (it wakes the writer later), nothing more, or it is wanted no longer. */
export type NextFrame = Buffer | 'waiting' | 'ended' | 'unwanted';

/** A long answer. It holds a position, not the frames: what waits for a slow reader is not in memory. */
export interface PagedAnswer {
  /** Asked again until `sent`; the answer may change its mind meanwhile. */
  next(): NextFrame;
  /** The frame of `next` was written. */
  sent(): void;
  /** All was written; runs in the same turn as the last frame. */
  end(): void;
  /** The socket is gone. */
  drop(): void;
}

/** The socket as the writer needs it. */
export interface PagedSink {
  /** bytes that the kernel has not taken yet */
  buffered(): number;
  send(frame: Buffer): void;
}

/** `full`: goes on when the socket drains · `more`: the turn was long enough, goes on in the next one · `idle`: nothing to write now. */
export type PagedState = 'full' | 'more' | 'idle';

export interface PagedLimits {
  /** Unsent bytes above which nothing is added. The largest frame fits; an empty buffer takes a frame of any size. */
  bufferedMax: number;
  /** bytes of one turn of the event loop */
  turnMax: number;
}

/** Bytes of one answer until the next one has its turn. */
const SHARE_BYTES = 16 * 1024;

interface Sharing {
  answer: PagedAnswer;
  /** bytes that it may write before the next one; below zero after a frame larger than its share */
  credit: number;
}

export class PagedWriter {
  readonly #limits: PagedLimits;
  readonly #answers: Sharing[] = [];
  #at = 0;
  #state: PagedState = 'idle';
  /** bytes written so far: whether the reader makes progress */
  written = 0;

  constructor(limits: PagedLimits) {
    this.#limits = limits;
  }

  /** True while frames wait for the reader and for nothing else. */
  get blocked(): boolean {
    return this.#state === 'full';
  }

  /** True when every answer is over. */
  get done(): boolean {
    return this.#answers.length === 0;
  }

  add(answer: PagedAnswer): void {
    this.#answers.push({ answer, credit: 0 });
  }

  /** Writes what there is room for. */
  write(sink: PagedSink): PagedState {
    this.#state = this.#write(sink);
    return this.#state;
  }

  drop(): void {
    for (const { answer } of this.#answers.splice(0)) answer.drop();
    this.#state = 'idle';
  }

  #write(sink: PagedSink): PagedState {
    let left = this.#limits.turnMax;
    for (let waiting = 0; waiting < this.#answers.length;) {
      if (this.#at >= this.#answers.length) this.#at = 0;
      const sharing = this.#answers[this.#at] as Sharing;
      const frame = sharing.answer.next();
      if (frame === 'waiting') {
        waiting++;
        this.#at++;
        continue;
      }
      waiting = 0;
      if (frame === 'ended' || frame === 'unwanted') {
        this.#answers.splice(this.#at, 1);
        if (frame === 'ended') sharing.answer.end();
        continue;
      }
      const buffered = sink.buffered();
      if (buffered > 0 && buffered + frame.length > this.#limits.bufferedMax) return 'full';
      if (left <= 0) return 'more';
      if (sharing.credit <= 0) sharing.credit += SHARE_BYTES;
      if (sharing.credit > 0) {
        sink.send(frame);
        sharing.answer.sent();
        sharing.credit -= frame.length;
        left -= frame.length;
        this.written += frame.length;
      }
      if (sharing.credit <= 0) this.#at++;
    }
    return 'idle';
  }
}

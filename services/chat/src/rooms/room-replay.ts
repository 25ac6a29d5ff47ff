// What one socket has missed of a room, frame by frame: from the feed's ring, or from pages of the database while the ring does not reach
// back that far. It ends at the newest delivered entry; what is newer comes by the subscription that its end makes.
import type { NextFrame, PagedAnswer } from '../domain/paged-writer.ts';
import type { RoomFeed } from './room-feed.ts';

export interface RoomReplayOptions {
  feed: RoomFeed;
  /** seq of the first frame; undefined: nothing was asked for */
  from: number | undefined;
  /** false: the socket left, joined again, was removed or closed; asked before each frame */
  isWanted: () => boolean;
  /** Frames can be had again. */
  wake: () => void;
  onEnd: () => void;
  /** The database does not give what is missing. */
  onFailure: (error: unknown) => void;
  /** Neither an end nor a failure: the feed is not needed any more. */
  onDropped: () => void;
}

export class RoomReplay implements PagedAnswer {
  readonly #options: RoomReplayOptions;
  #next: number;
  #reading = false;
  #failure: { error: unknown } | undefined;

  constructor(options: RoomReplayOptions) {
    this.#options = options;
    this.#next = options.from ?? options.feed.last + 1;
  }

  next(): NextFrame {
    const { feed, from, isWanted, onDropped, onFailure } = this.#options;
    if (!isWanted()) {
      onDropped();
      return 'unwanted';
    }
    if (from === undefined || this.#next > feed.last) return 'ended';
    const frame = feed.frame(this.#next);
    if (frame) return frame;
    if (this.#failure) {
      onFailure(this.#failure.error);
      return 'unwanted';
    }
    if (!this.#reading) this.#read();
    return 'waiting';
  }

  sent(): void {
    this.#next++;
  }

  end(): void {
    this.#options.onEnd();
  }

  drop(): void {
    this.#options.onDropped();
  }

  #read(): void {
    const { feed, wake } = this.#options;
    this.#reading = true;
    feed
      .load(this.#next)
      .catch((error: unknown) => (this.#failure = { error }))
      .finally(() => {
        this.#reading = false;
        wake();
      });
  }
}

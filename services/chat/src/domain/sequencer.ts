// Puts the entries of one room into their one order. Frames may arrive doubled, late or not at all; what leaves is dense by seq.

/** Frames that arrived together; `first` is the seq of the first one. */
export interface Arrival {
  first: number;
  frames: readonly Buffer[];
}

/** Arrivals that may wait for a missing one. More than that and the database is quicker. */
const HELD_MAX = 256;

export class Sequencer {
  #last = 0;
  #started = false;
  #held: Arrival[] = [];

  /** Seq of the newest frame that was let through. */
  get last(): number {
    return this.#last;
  }
  /** True when something waits for an entry that has not arrived. */
  get waiting(): boolean {
    return this.#started && this.#held.length > 0;
  }

  /** The room's head in the database; everything up to it is known to have been delivered or to be read from there. */
  start(head: number): Buffer[] {
    this.#last = head;
    this.#started = true;
    return this.#release();
  }

  /** Returns the frames that may be delivered now, in order. */
  accept(arrival: Arrival): Buffer[] {
    const end = arrival.first + arrival.frames.length - 1;
    if (this.#started && end <= this.#last) return [];
    if (!this.#started || arrival.first > this.#last + 1) {
      this.#hold(arrival);
      return [];
    }
    const ready = arrival.frames.slice(this.#last + 1 - arrival.first);
    this.#last = end;
    return this.#held.length > 0 ? ready.concat(this.#release()) : ready;
  }

  #hold(arrival: Arrival): void {
    const at = this.#held.findIndex((held) => held.first > arrival.first);
    this.#held.splice(at < 0 ? this.#held.length : at, 0, arrival);
    // The oldest are the ones that are needed first; the newest can be read again.
    if (this.#held.length > HELD_MAX) this.#held.pop();
  }

  #release(): Buffer[] {
    const ready: Buffer[] = [];
    while (this.#held[0] && this.#held[0].first <= this.#last + 1) {
      const { first, frames } = this.#held.shift() as Arrival;
      const fresh = frames.slice(Math.max(0, this.#last + 1 - first));
      ready.push(...fresh);
      this.#last += fresh.length;
    }
    return ready;
  }
}

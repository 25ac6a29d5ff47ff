// The newest encoded frames of one room, so that a join that is only a little behind costs no read of the database.

export class Ring {
  readonly #capacity: number;
  #frames: Buffer[] = [];
  #last = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Adds frames that follow each other and end at `last`. A jump empties the ring: what it holds is always gapless. */
  push(frames: readonly Buffer[], last: number): void {
    if (last - frames.length !== this.#last) this.#frames = [];
    for (const frame of frames) this.#frames.push(frame);
    if (this.#frames.length > this.#capacity) this.#frames.splice(0, this.#frames.length - this.#capacity);
    this.#last = last;
  }

  /** The frames from seq `from` to the newest, or undefined when the ring does not reach back that far. */
  since(from: number): readonly Buffer[] | undefined {
    if (from > this.#last) return [];
    const oldest = this.#last - this.#frames.length + 1;
    return from >= oldest ? this.#frames.slice(from - oldest) : undefined;
  }
}

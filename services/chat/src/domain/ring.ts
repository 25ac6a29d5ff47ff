// The newest encoded frames of one room, so that a join that is only a little behind costs no read of the database.

export interface RingLimits {
  frames: number;
  /** the newest frame is kept whatever its size */
  bytes: number;
}

export class Ring {
  readonly #limits: RingLimits;
  #frames: Buffer[] = [];
  #bytes = 0;
  #last = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** Adds frames that follow each other and end at `last`. A jump empties the ring: what it holds is always gapless. */
  push(frames: readonly Buffer[], last: number): void {
    if (last - frames.length !== this.#last) {
      this.#frames = [];
      this.#bytes = 0;
    }
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += frame.length;
    }
    this.#last = last;
    this.#trim();
  }

  /** Seq of the oldest frame; one more than the newest when there is none. */
  get oldest(): number {
    return this.#last - this.#frames.length + 1;
  }

  /** One frame, or undefined when the ring does not have it. */
  at(seq: number): Buffer | undefined {
    return this.#frames[seq - this.oldest];
  }

  #trim(): void {
    let drop = Math.max(0, this.#frames.length - this.#limits.frames);
    for (let index = 0; index < drop; index++) this.#bytes -= (this.#frames[index] as Buffer).length;
    while (this.#bytes > this.#limits.bytes && drop < this.#frames.length - 1) this.#bytes -= (this.#frames[drop++] as Buffer).length;
    if (drop > 0) this.#frames.splice(0, drop);
  }
}

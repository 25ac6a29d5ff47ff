// How many sockets are told to reconnect at each step of a drain.

export interface PaceOptions {
  windowMs: number;
  ratePercentPerSecond: number;
  stepMs: number;
}

/**
 * So many that the rate is kept, at least one a second, and so that every socket is told within the window. Fractions are carried from step to
 * step: rounded up at each of them, a hundred sockets would be told at twice the rate.
 */
export class DrainPace {
  readonly #perStep: number;
  /** The first step tells one. */
  #due = 1;

  constructor(sockets: number, { windowMs, ratePercentPerSecond, stepMs }: PaceOptions) {
    const byRate = (sockets * ratePercentPerSecond * stepMs) / 100_000;
    // The last tenth of the window is for those who were told last.
    const byWindow = (sockets * stepMs) / Math.max(stepMs, windowMs * 0.9);
    this.#perStep = Math.max(stepMs / 1000, byRate, byWindow);
  }

  /** How many are told at this step. */
  next(): number {
    this.#due += this.#perStep;
    const now = Math.floor(this.#due);
    this.#due -= now;
    return now;
  }
}

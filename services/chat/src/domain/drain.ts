// How many sockets are told to reconnect at each step of a drain.

/** As the service is configured. */
export interface DrainSettings {
  drainWindowMs: number;
  drainRatePercentPerSecond: number;
}

/** Between two steps, in milliseconds. */
export const STEP_MS = 100;

/**
 * So many that the rate is kept, at least one a second, and so that every socket is told within the window. Fractions are carried from step to
 * step: rounded up at each of them, a hundred sockets would be told at twice the rate.
 */
export class DrainPace {
  readonly #perStep: number;
  /** The first step tells one. */
  #due = 1;

  constructor(sockets: number, { drainWindowMs, drainRatePercentPerSecond }: DrainSettings) {
    const byRate = (sockets * drainRatePercentPerSecond * STEP_MS) / 100_000;
    // The last tenth of the window is for those who were told last.
    const byWindow = (sockets * STEP_MS) / Math.max(STEP_MS, drainWindowMs * 0.9);
    this.#perStep = Math.max(STEP_MS / 1000, byRate, byWindow);
  }

  /** How many are told at this step. */
  next(): number {
    this.#due += this.#perStep;
    const now = Math.floor(this.#due);
    this.#due -= now;
    return now;
  }
}

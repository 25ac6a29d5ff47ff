// Times from sending to arrival, of the last minutes. Pure.
const SAMPLES_MAX = 5000;
const WINDOW_MS = 5 * 60_000;

export class Latencies {
  #samples: { atMs: number; ms: number }[] = [];

  add(atMs: number, ms: number): void {
    this.#samples.push({ atMs, ms });
    if (this.#samples.length > SAMPLES_MAX) this.#samples = this.#samples.slice(-SAMPLES_MAX / 2);
  }

  /** Percentile of the last five minutes in milliseconds; undefined: nothing arrived in them. */
  percentile(share: number, nowMs: number): number | undefined {
    const recent = this.#samples.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS).map(({ ms }) => ms);
    recent.sort((one, other) => one - other);
    return recent[Math.min(recent.length - 1, Math.floor(recent.length * share))];
  }
}

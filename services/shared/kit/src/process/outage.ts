// One line in the log when something goes away and one when it is back, however many attempts lie between.
import type { Log } from './log.ts';

/** What the two lines say; `fields` are in both. */
export interface OutageWords {
  away: string;
  back: string;
  fields?: Record<string, string>;
}

/** One dependency as one process sees it. */
export class Outage {
  #since: number | undefined;
  readonly #log: Log;
  readonly #words: OutageWords;
  constructor(log: Log, words: OutageWords) {
    this.#log = log;
    this.#words = words;
  }

  /** Tells a warning with the reason, unless this was told already. */
  began(reason: string): void {
    if (this.#since !== undefined) return;
    this.#since = performance.now();
    this.#log.warn({ ...this.#words.fields, reason }, this.#words.away);
  }

  /** Tells that it is over and after how many milliseconds, if there was one. */
  ended(): void {
    if (this.#since === undefined) return;
    this.#log.info({ ...this.#words.fields, afterMs: Math.round(performance.now() - this.#since) }, this.#words.back);
    this.#since = undefined;
  }
}

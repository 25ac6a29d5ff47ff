// One line in the log when something goes away and one when it is back, however many attempts lie between.
import type { Log } from '@parley/kit';

export class Outage {
  #since: number | undefined;
  readonly #what: string;
  readonly #log: Log;
  constructor(what: string, log: Log) {
    this.#what = what;
    this.#log = log;
  }
  began(reason: string): void {
    if (this.#since !== undefined) return;
    this.#since = Date.now();
    this.#log.warn({ reason }, `${this.#what} is away; events wait in the outbox`);
  }
  ended(): void {
    if (this.#since === undefined) return;
    this.#log.info({ afterMs: Date.now() - this.#since }, `${this.#what} is back`);
    this.#since = undefined;
  }
}

// One line in the log when something goes away and one when it is back, however many attempts lie between.
import type { Log } from '@parley/kit/process';

export class Outage {
  #since: number | undefined;
  readonly #what: string;
  readonly #log: Log;
  readonly #meanwhile: string;
  constructor(what: string, log: Log, meanwhile = 'events wait in the outbox') {
    this.#what = what;
    this.#log = log;
    this.#meanwhile = meanwhile;
  }
  began(reason: string): void {
    if (this.#since !== undefined) return;
    this.#since = Date.now();
    this.#log.warn({ reason }, `${this.#what} is away; ${this.#meanwhile}`);
  }
  ended(): void {
    if (this.#since === undefined) return;
    this.#log.info({ afterMs: Date.now() - this.#since }, `${this.#what} is back`);
    this.#since = undefined;
  }
}

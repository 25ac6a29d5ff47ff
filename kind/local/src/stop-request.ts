// Turns Ctrl-C, SIGTERM, a closed terminal and a vanished parent into one request to stop, and a second Ctrl-C into a hard end.

/** The same Ctrl-C arrives several times: from the terminal, from npm, and from the script that npm runs. */
const SAME_KEYSTROKE_MS = 700;

export class StopRequest {
  readonly #controller = new AbortController();
  #reason = '';
  #since = 0;
  #hard: () => void = () => {};
  readonly requested: Promise<void>;

  constructor() {
    this.requested = new Promise((resolve) => this.signal.addEventListener('abort', () => resolve()));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  get reason(): string {
    return this.#reason;
  }

  /** What a second request does before the process ends. */
  onHard(action: () => void): void {
    this.#hard = action;
  }

  request(reason: string): void {
    if (!this.signal.aborted) {
      this.#reason = reason;
      this.#since = performance.now();
      this.#controller.abort(new Error(`stopped by ${reason}`));
    } else if (performance.now() - this.#since > SAME_KEYSTROKE_MS) {
      this.#hard();
      process.exit(130);
    }
  }

  /** Listens to everything that can end an interactive program. */
  listen(): this {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => this.request(signal === 'SIGINT' ? 'Ctrl-C' : signal));
    // The script that started this process died: nobody could stop it any more.
    process.on('disconnect', () => this.request('end of the parent process'));
    // Writing to a terminal that has gone must not end the process half way through its own stop.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    return this;
  }
}

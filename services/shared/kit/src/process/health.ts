// What /healthz and /readyz answer: named checks that adapters set, and whether the process is draining.

/** Ready or not, with the reasons by check. */
export interface Readiness {
  ready: boolean;
  draining: boolean;
  /** check name -> reason, for each check that fails */
  failing: Record<string, string>;
}

/** Whether this process is ready: started, not draining, and no check has a reason against it. */
export class Health {
  readonly #failing = new Map<string, string>();
  /** every check that was ever set */
  readonly #checks = new Set<string>();
  #draining = false;
  #emptying = false;
  #started = false;

  /** Records that a dependency the process cannot work without is fine (`undefined`) or why it is not. */
  set(check: string, reason: string | undefined): void {
    this.#checks.add(check);
    if (reason === undefined) this.#failing.delete(check);
    else this.#failing.set(check, reason);
  }
  /** Everything is open; before this call the process is not ready. */
  started(): void {
    this.#started = true;
  }
  drain(): void {
    this.#draining = true;
  }
  /** Not ready for a while, because somebody wants this process empty; unlike a drain it ends by `false`. */
  empty(value: boolean): void {
    this.#emptying = value;
  }
  get emptying(): boolean {
    return this.#emptying;
  }
  get draining(): boolean {
    return this.#draining || this.#emptying;
  }
  /** Every check so far, and whether it is fine. */
  get checks(): [name: string, fine: boolean][] {
    return [...this.#checks].map((name) => [name, !this.#failing.has(name)]);
  }
  readiness(): Readiness {
    const failing = Object.fromEntries(this.#failing);
    if (!this.#started) failing['start'] = 'not finished';
    if (this.draining) failing['drain'] = this.#draining ? 'shutting down' : 'asked to let its sockets go';
    return { ready: Object.keys(failing).length === 0, draining: this.draining, failing };
  }
}

// Keeps a service running: one that ends is started again, slower each time, as Kubernetes would.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '#servers/server';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
/** A service that ran this long failed for a new reason: the pauses start anew. */
const HEALTHY_MS = 30_000;

interface KeepOptions {
  start: (signal: AbortSignal) => Promise<Server>;
  onExit: (server: Server, reason: string, pauseMs: number) => void;
  onRestart: (server: Server) => void;
  onFailure: (error: unknown, pauseMs: number) => void;
}

export class KeptServer {
  #server: Server;
  readonly #options: KeepOptions;
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;

  constructor(first: Server, options: KeepOptions) {
    this.#server = first;
    this.#options = options;
    this.#loop = this.#run();
  }

  get server(): Server {
    return this.#server;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#server.stop();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const since = performance.now();
      const reason = await this.#server.exited;
      if (signal.aborted) return;
      if (performance.now() - since > HEALTHY_MS) pauseMs = FIRST_PAUSE_MS;
      this.#options.onExit(this.#server, reason, pauseMs);
      pauseMs = await this.#restart(pauseMs);
    }
  }

  /** Tries until it runs again or is stopped; returns the next pause. */
  async #restart(pauseMs: number): Promise<number> {
    const { signal } = this.#stopping;
    for (let pause = pauseMs; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        await sleep(pause, undefined, { signal });
        this.#server = await this.#options.start(signal);
        this.#options.onRestart(this.#server);
        return Math.min(pause * 2, LONGEST_PAUSE_MS);
      } catch (error) {
        if (signal.aborted) return pause;
        this.#options.onFailure(error, Math.min(pause * 2, LONGEST_PAUSE_MS));
      }
    }
  }
}

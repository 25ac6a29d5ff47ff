// Emptying this replica while its process goes on: no new sockets, those that are open asked to reconnect at the pace of a drain and ended
// when they have not gone by the end of the window. Asked by the operator, and undone by it.
import { closeCodes } from '@parley/protocol';
import { Type, type Static } from '@sinclair/typebox';
import type { Health } from '@parley/kit/process';
import { DrainPace, STEP_MS, type DrainSettings } from '../domain/drain.ts';
import type { Session } from '../sockets/session.ts';
import { tellToReconnect } from './drain.ts';

export const DrainRequest = Type.Object(
  { drain: Type.Boolean({ description: 'false: take sockets again' }) },
  { additionalProperties: false },
);
export type DrainRequest = Static<typeof DrainRequest>;

export interface EmptyingOptions {
  health: Health;
  sessions: ReadonlySet<Session>;
  pace: DrainSettings;
}

export class Emptying {
  readonly #options: EmptyingOptions;
  #pace: DrainPace | undefined;
  #deadlineMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EmptyingOptions) {
    this.#options = options;
  }

  get asked(): boolean {
    return this.#options.health.emptying;
  }

  /** The same request again changes nothing: the operator repeats it until it sees what it wants. */
  ask({ drain }: DrainRequest): { connections: number } {
    const { health, sessions, pace } = this.#options;
    if (drain !== this.asked) {
      health.empty(drain);
      this.close();
      if (drain) {
        this.#pace = new DrainPace(sessions.size, pace);
        this.#deadlineMs = performance.now() + pace.drainWindowMs;
        this.#timer = setInterval(() => this.#step(), STEP_MS);
      }
    }
    return { connections: sessions.size };
  }

  /** Who was asked already goes; the others stay. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #step(): void {
    const { sessions } = this.#options;
    const over = performance.now() >= this.#deadlineMs;
    let left = over ? Infinity : (this.#pace?.next() ?? 0);
    for (const session of [...sessions]) {
      if (!session.toldToReconnect && left-- > 0) tellToReconnect(session);
      if (over) session.end(closeCodes.restart);
    }
    // Some were still opening when it began: they count until they are gone.
    if (sessions.size === 0) this.close();
  }
}

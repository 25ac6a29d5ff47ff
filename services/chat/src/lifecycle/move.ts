// Moving sockets while this replica goes on: away from a proxy that leaves, or to replicas that have fewer. Asked by the operator.
import { Type, type Static } from '@sinclair/typebox';
import { plainAddress } from '@parley/kit/http';
import { DrainPace, STEP_MS, type DrainSettings } from '../domain/drain.ts';
import type { Session } from '../sockets/session.ts';
import { tellToReconnect, type ReconnectReason } from './drain.ts';

export const MoveRequest = Type.Object(
  {
    via: Type.Optional(Type.String({ minLength: 2, maxLength: 64, description: 'address of the proxy whose sockets shall move' })),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'how many; without it all of them' })),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type MoveRequest = Static<typeof MoveRequest>;

export interface MoveOptions {
  sessions: ReadonlySet<Session>;
  pace: DrainSettings;
}

export class SocketMover {
  readonly #options: MoveOptions;
  #waiting: { session: Session; reason: ReconnectReason }[] = [];
  #pace: DrainPace | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MoveOptions) {
    this.#options = options;
  }

  /** Chooses at once and asks at the pace of a drain. Who was asked before is not asked again. Returns how many will be asked. */
  move({ via, count }: MoveRequest): { moving: number } {
    const { sessions, pace } = this.#options;
    const proxy = via === undefined ? undefined : plainAddress(via);
    const known = new Set(this.#waiting.map(({ session }) => session));
    const movable = [...sessions].filter(
      (session) =>
        session.state === 'open' &&
        !session.toldToReconnect &&
        !known.has(session) &&
        (proxy === undefined || plainAddress(session.remoteAddress) === proxy),
    );
    const chosen = count === undefined || count >= movable.length ? movable : sample(movable, count);
    const reason = via === undefined ? 'rebalance' : 'drain';
    this.#waiting.push(...chosen.map((session) => ({ session, reason }) as const));
    this.#pace = new DrainPace(this.#waiting.length, pace);
    if (this.#waiting.length > 0) this.#timer ??= setInterval(() => this.#step(), STEP_MS);
    return { moving: chosen.length };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #step(): void {
    for (const { session, reason } of this.#waiting.splice(0, this.#pace?.next() ?? 0)) {
      if (session.state === 'open') tellToReconnect(session, reason);
    }
    if (this.#waiting.length === 0) this.close();
  }
}

/** `count` different ones, each as likely as the other. */
function sample<T>(items: T[], count: number): T[] {
  const pool = [...items];
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(Math.random() * (pool.length - index));
    [pool[index], pool[other]] = [pool[other] as T, pool[index] as T];
  }
  return pool.slice(0, count);
}

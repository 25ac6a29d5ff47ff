// What the canary of each cluster finds, asked of its admin port every few seconds.
import { Type, type Static } from '@sinclair/typebox';
import type { PodFacts } from './pods.ts';

const Milliseconds = Type.Union([Type.Number({ minimum: 0 }), Type.Null()]);

/** What the canary answers at /delivery. */
export const DeliveryReport = Type.Object({
  state: Type.Union([Type.Literal('starting'), Type.Literal('ok'), Type.Literal('failing')]),
  reason: Type.String({ pattern: '^[A-Za-z]{1,64}$' }),
  message: Type.String({ maxLength: 2000 }),
  lost: Type.Integer({ minimum: 0 }),
  duplicated: Type.Integer({ minimum: 0 }),
  misordered: Type.Integer({ minimum: 0 }),
  acked: Type.Integer({ minimum: 0 }),
  sockets: Type.Integer({ minimum: 0 }),
  replicas: Type.Integer({ minimum: 0 }),
  p50Ms: Milliseconds,
  p99Ms: Milliseconds,
});
export type DeliveryReport = Static<typeof DeliveryReport>;

export interface DeliverySeen {
  /** undefined: the canary did not answer the last time */
  report: DeliveryReport | undefined;
  /** by `performance.now()`; undefined: it does not say so now */
  failingSinceMs: number | undefined;
  /** when it was asked, by the clock on the wall: what it says is not older */
  askedAtMs: number;
}

export interface DeliveryOptions {
  /** canary pods of all clusters */
  pods: () => readonly PodFacts[];
  /** Throws when it does not answer. */
  read: (ip: string) => Promise<DeliveryReport>;
  /** `namespace/cluster` of which there is something new to tell */
  onChange: (key: string) => void;
  everyMs: number;
  now?: () => number;
}

const keyOf = ({ namespace, cluster }: PodFacts): string => `${namespace}/${cluster}`;

export class Delivery {
  readonly #options: DeliveryOptions;
  #seen = new Map<string, DeliverySeen>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** undefined: nobody was asked yet, or there is no canary. */
  of(key: string): DeliverySeen | undefined {
    return this.#seen.get(key);
  }

  start(): void {
    const again = () => {
      if (!this.#closed) this.#timer = setTimeout(() => void this.look().then(again), this.#options.everyMs);
    };
    again();
  }
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async look(): Promise<void> {
    const { pods, read, onChange, now = () => performance.now() } = this.#options;
    const askedAtMs = Date.now();
    const asked = pods().filter(({ ip, terminating }) => ip !== undefined && !terminating);
    const answers = await Promise.allSettled(asked.map(({ ip }) => read(ip ?? '')));
    const next = new Map<string, DeliverySeen>();
    asked.forEach((pod, index) => {
      const key = keyOf(pod);
      const answer = answers[index];
      const report = answer?.status === 'fulfilled' ? answer.value : undefined;
      const before = this.#seen.get(key);
      const failingSinceMs = report?.state === 'failing' ? (before?.failingSinceMs ?? now()) : undefined;
      // Of two, while one takes over: the one that answers.
      if (report || !next.get(key)?.report) next.set(key, { report, failingSinceMs, askedAtMs });
    });
    const keys = new Set([...this.#seen.keys(), ...next.keys()]);
    const before = this.#seen;
    this.#seen = next;
    // Whether it is worth a write is decided where the status is made.
    for (const key of keys) if (JSON.stringify(before.get(key)?.report) !== JSON.stringify(next.get(key)?.report)) onChange(key);
  }
}

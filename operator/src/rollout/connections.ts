// How many sockets each chat replica holds, asked of its admin port. Beside the reconcile: a replica that does not answer delays nobody.
import { Type, type Static } from '@sinclair/typebox';
import type { PodFacts } from '../watch/pods.ts';

/** What a chat replica answers at /connections. */
export const PodConnections = Type.Object({
  connections: Type.Integer({ minimum: 0 }),
  maxConnections: Type.Integer({ minimum: 1 }),
  draining: Type.Boolean(),
  /** address of the Redis that it publishes to; none while Redis is away */
  redis: Type.Optional(Type.String()),
  /** MySQL refuses what it writes for want of space: in the words of MySQL */
  databaseFull: Type.Optional(Type.String()),
  /** it drains because the operator asked it to */
  asked: Type.Optional(Type.Boolean()),
});
export type PodConnections = Static<typeof PodConnections>;

/** What it answers to a POST of /reconnect. */
export const MoveAnswer = Type.Object({ moving: Type.Integer({ minimum: 0 }) });

/** What it answers to a POST of /drain. */
export const DrainAnswer = Type.Object({ connections: Type.Integer({ minimum: 0 }) });

export interface ConnectionsOptions {
  /** chat pods of all clusters */
  pods: () => readonly PodFacts[];
  /** Throws when the replica does not answer. */
  read: (ip: string) => Promise<PodConnections>;
  /** `namespace/cluster` whose numbers changed, or have come to stand still: what waits for that would wait for the next change */
  onChange: (key: string) => void;
  everyMs: number;
}

/** A change of the total up to this share, or this number, is people who come and go. */
const CALM_SHARE = 0.05;
const CALM_COUNT = 5;

const keyOf = ({ namespace, cluster }: PodFacts): string => `${namespace}/${cluster}`;

export class Connections {
  readonly #options: ConnectionsOptions;
  #byUid = new Map<string, PodConnections>();
  /** of each cluster: replicas that answered and their sockets, at the last look and the one before */
  #totals = new Map<string, { now: Total; before: Total | undefined }>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  of(uid: string): PodConnections | undefined {
    return this.#byUid.get(uid);
  }

  /** The same replicas answered twice in a row, and the number of their sockets hardly changed. */
  settled(key: string): boolean {
    const { now, before } = this.#totals.get(key) ?? {};
    if (!now || !before || now.replicas !== before.replicas) return false;
    return Math.abs(now.sockets - before.sockets) <= Math.max(CALM_COUNT, before.sockets * CALM_SHARE);
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

  /** One look at every replica, all at once. */
  async look(): Promise<void> {
    const { pods, read, onChange } = this.#options;
    const asked = pods().filter(({ ip }) => ip !== undefined);
    const answers = await Promise.allSettled(asked.map(({ ip }) => read(ip ?? '')));
    const byUid = new Map<string, PodConnections>();
    const totals = new Map<string, Total>(asked.map((pod) => [keyOf(pod), { replicas: '', sockets: 0 }]));
    const changed = new Set<string>();
    asked.forEach((pod, index) => {
      const answer = answers[index];
      const found = answer?.status === 'fulfilled' ? answer.value : undefined;
      if (JSON.stringify(found) !== JSON.stringify(this.#byUid.get(pod.uid))) changed.add(keyOf(pod));
      if (!found) return;
      byUid.set(pod.uid, found);
      const total = totals.get(keyOf(pod));
      if (!total || found.draining) return;
      total.replicas += `${pod.uid} `;
      total.sockets += found.connections;
    });
    const moving = [...totals.keys()].filter((key) => !this.settled(key));
    this.#byUid = byUid;
    this.#totals = new Map([...totals].map(([key, now]) => [key, { now, before: this.#totals.get(key)?.now }]));
    for (const key of moving) if (this.settled(key)) changed.add(key);
    changed.forEach(onChange);
  }
}

interface Total {
  /** uids of those that answered */
  replicas: string;
  sockets: number;
}

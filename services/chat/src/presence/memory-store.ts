// The store of several instances in one process: what the contract suite compares the Redis adapter with.
import { LEASE_MS, type Beat, type PresenceStore } from './store.ts';

interface Pod {
  untilMs: number;
  users: Map<number, string>;
}

export class MemoryPresence {
  readonly #pods = new Map<string, Pod>();
  readonly #claimed = new Set<string>();
  readonly #seen = new Map<number, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  store(instance: string): PresenceStore {
    const pod = () => {
      const known = this.#pods.get(instance) ?? { untilMs: 0, users: new Map<number, string>() };
      this.#pods.set(instance, known);
      return known;
    };
    return {
      beat: () => Promise.resolve(this.#beat(instance, pod())),
      claim: (instances) => Promise.resolve(this.#claim(instances)),
      add: (users) => {
        const fresh = [...users.keys()].filter((userId) => !this.#isOnline(userId, instance));
        for (const [userId, name] of users) pod().users.set(userId, name);
        return Promise.resolve(new Set(fresh));
      },
      remove: (userIds, seenAtMs) => {
        for (const userId of userIds) pod().users.delete(userId);
        const gone = userIds.filter((userId) => !this.#isOnline(userId));
        for (const userId of gone) this.#seen.set(userId, seenAtMs);
        return Promise.resolve(new Set(gone));
      },
      online: (userIds) => Promise.resolve(new Set(userIds.filter((userId) => this.#isOnline(userId)))),
      lastSeen: (userIds) => Promise.resolve(new Map(userIds.flatMap((id) => (this.#seen.has(id) ? [[id, this.#seen.get(id) ?? 0]] : [])))),
      leave: (graceMs) => {
        pod().untilMs = this.#now() + graceMs;
        return Promise.resolve();
      },
    };
  }

  /** Ends an instance's lease, as time would. */
  expire(instance: string): void {
    const pod = this.#pods.get(instance);
    if (pod) pod.untilMs = this.#now();
  }

  /** Forgets everything, as a server without its data would. */
  forget(): void {
    this.#pods.clear();
    this.#claimed.clear();
    this.#seen.clear();
  }

  #beat(instance: string, pod: Pod): Beat {
    const inTime = pod.untilMs > this.#now();
    const claimed = this.#claimed.delete(instance);
    const list = claimed ? 'claimed' : pod.untilMs > 0 && pod.users.size > 0 ? 'kept' : 'empty';
    pod.untilMs = this.#now() + LEASE_MS;
    const gone = [...this.#pods].filter(([, { untilMs }]) => untilMs <= this.#now()).map(([name]) => name);
    return { list, inTime, gone };
  }

  #isOnline(userId: number, except?: string): boolean {
    return [...this.#pods].some(([instance, pod]) => instance !== except && pod.untilMs > this.#now() && pod.users.has(userId));
  }

  #claim(instances: readonly string[]): Map<number, string> {
    const lost = new Map<number, string>();
    for (const instance of instances) {
      const pod = this.#pods.get(instance);
      if (!pod || pod.untilMs > this.#now()) continue;
      this.#pods.delete(instance);
      this.#claimed.add(instance);
      for (const [userId, name] of pod.users) lost.set(userId, name);
    }
    return lost;
  }
}

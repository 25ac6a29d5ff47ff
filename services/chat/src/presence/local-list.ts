// The users of this replica and their way into its list in Redis and out of it again: a first socket puts a user there at the next
// tick, the last one takes the user off after the grace.
import { OFFLINE_GRACE_MS } from '@parley/protocol';
import type { Change } from './news.ts';
import type { PresenceStore } from './store.ts';

export class LocalList {
  readonly #store: PresenceStore;
  readonly #now: () => number;
  /** users with sockets here, and those whose grace runs */
  readonly #here = new Map<number, string>();
  /** users that are not in the list yet, and whether it is news when they are */
  readonly #arriving = new Map<number, { isNews: boolean }>();
  /** end of the grace of those whose last socket here is gone */
  readonly #leaving = new Map<number, number>();

  constructor(store: PresenceStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  has(userId: number): boolean {
    return this.#here.has(userId);
  }

  connected(userId: number, name: string): void {
    // Back within the grace: nobody heard of the absence, so nobody hears of the return.
    if (this.#leaving.delete(userId)) return;
    this.#here.set(userId, name);
    this.#arriving.set(userId, { isNews: true });
  }

  disconnected(userId: number): void {
    if (this.#here.has(userId)) this.#leaving.set(userId, this.#now() + OFFLINE_GRACE_MS);
  }

  /** The list is not in Redis any more. It is news only when others were told that these users are gone. */
  writeAgain({ isNews }: { isNews: boolean }): void {
    for (const userId of this.#here.keys()) {
      if (!this.#arriving.get(userId)?.isNews) this.#arriving.set(userId, { isNews });
    }
  }

  /** Puts into the list who has come. Answers those who were online nowhere. */
  async arrive(): Promise<Change[]> {
    if (this.#arriving.size === 0) return [];
    const arriving = new Map(this.#arriving);
    const names = new Map([...arriving.keys()].map((userId) => [userId, this.#here.get(userId) ?? '']));
    const fresh = await this.#store.add(names);
    const changes: Change[] = [];
    for (const [userId, arrival] of arriving) {
      if (this.#arriving.get(userId) === arrival) this.#arriving.delete(userId);
      if (arrival.isNews && fresh.has(userId)) changes.push({ userId, name: names.get(userId) ?? '', lastSeenMs: undefined });
    }
    return changes;
  }

  /** Takes off the list whose grace is over. Answers those who are online nowhere now. */
  async depart(): Promise<Change[]> {
    const due = [...this.#leaving].filter(([, untilMs]) => untilMs <= this.#now());
    if (due.length === 0) return [];
    const lastSeenMs = this.#now() - OFFLINE_GRACE_MS;
    const gone = await this.#store.remove(
      due.map(([userId]) => userId),
      lastSeenMs,
    );
    const changes: Change[] = [];
    for (const [userId, untilMs] of due) {
      // Back while Redis answered: the removal is undone, and nobody hears of either.
      if (this.#leaving.get(userId) !== untilMs) {
        if (this.#here.has(userId)) this.#arriving.set(userId, { isNews: false });
        continue;
      }
      const name = this.#here.get(userId) ?? '';
      this.#leaving.delete(userId);
      this.#here.delete(userId);
      this.#arriving.delete(userId);
      if (gone.has(userId)) changes.push({ userId, name, lastSeenMs });
    }
    return changes;
  }
}

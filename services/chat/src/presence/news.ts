// What rooms still have to be told of users' coming and going. Net changes: who went and came back before it was told is no news.

export interface Change {
  userId: number;
  name: string;
  /** undefined: online; otherwise when the user was last seen, milliseconds since 1970 */
  lastSeenMs: number | undefined;
}

/** Users of one round: each round is one query for their rooms. */
export const USERS_PER_ROUND = 2000;
/** While the rooms cannot be read, changes wait; more than this are left out, and whoever joins a room later sees the truth. */
const WAITING_MAX = 50_000;

const isOnline = (change: Change): boolean => change.lastSeenMs === undefined;

export class News {
  readonly #waiting = new Map<number, Change>();

  get size(): number {
    return this.#waiting.size;
  }

  add(changes: Iterable<Change>): void {
    for (const change of changes) {
      const before = this.#waiting.get(change.userId);
      if (before && isOnline(before) !== isOnline(change)) this.#waiting.delete(change.userId);
      else if (before || this.#waiting.size < WAITING_MAX) this.#waiting.set(change.userId, change);
    }
  }

  /** The oldest changes, for one round. */
  take(): Change[] {
    const changes: Change[] = [];
    for (const change of this.#waiting.values()) {
      if (changes.length >= USERS_PER_ROUND) break;
      changes.push(change);
    }
    for (const { userId } of changes) this.#waiting.delete(userId);
    return changes;
  }

  /** Nobody could be told: the changes wait again, unless what came meanwhile makes them untrue. */
  putBack(changes: readonly Change[]): void {
    for (const change of changes) {
      const later = this.#waiting.get(change.userId);
      if (!later) this.add([change]);
      else if (isOnline(later) !== isOnline(change)) this.#waiting.delete(change.userId);
    }
  }
}

// Who has sockets on this replica. Most users have one; an array exists only from the second one on.
import type { Session } from '../sockets/session.ts';

export class LocalUsers {
  readonly #sessions = new Map<number, Session | Session[]>();

  /** Users with at least one socket here. */
  get count(): number {
    return this.#sessions.size;
  }

  /** Oldest first. */
  of(userId: number): readonly Session[] {
    const known = this.#sessions.get(userId);
    return known === undefined ? [] : Array.isArray(known) ? known : [known];
  }

  /** Returns true for the user's first socket here. */
  add(userId: number, session: Session): boolean {
    const known = this.#sessions.get(userId);
    if (known === undefined) this.#sessions.set(userId, session);
    else if (Array.isArray(known)) known.push(session);
    else this.#sessions.set(userId, [known, session]);
    return known === undefined;
  }

  /** Returns true when it was the user's last one here. */
  remove(userId: number, session: Session): boolean {
    const known = this.#sessions.get(userId);
    if (known === session) return this.#sessions.delete(userId);
    if (!Array.isArray(known)) return false;
    const left = known.filter((each) => each !== session);
    if (left.length === 1) this.#sessions.set(userId, left[0] as Session);
    else if (left.length > 1) this.#sessions.set(userId, left);
    else return this.#sessions.delete(userId);
    return false;
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#sessions.keys();
  }
}

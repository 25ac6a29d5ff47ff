// At most so many sockets per user in the whole cluster: the oldest one makes room for the newest. While Redis is away each replica
// counts its own.
import type { Connections } from '../adapters/redis-connections.ts';
import type { Session } from '../sockets/session.ts';
import type { LocalUsers } from './local-users.ts';
import type { UserEvents } from './user-events.ts';

export interface ConnectionCapsOptions {
  connections: Connections;
  users: LocalUsers;
  events: UserEvents;
  maxPerUser: number;
}

const REPLACED = { type: 'connection_replaced', message: 'A newer connection has taken the place of this one' };

export class ConnectionCaps {
  readonly #options: ConnectionCapsOptions;

  constructor(options: ConnectionCapsOptions) {
    this.#options = options;
  }

  /** Counts an open socket and closes those that are too many now. Never throws. */
  async opened(userId: number, session: Session): Promise<void> {
    const { connections, users, maxPerUser } = this.#options;
    let excess: readonly string[];
    try {
      excess = await connections.add(userId, session.id);
    } catch {
      const here = users.of(userId);
      excess = here.slice(0, Math.max(0, here.length - maxPerUser)).map((each) => each.id);
    }
    for (const id of excess) this.#options.events.publish(userId, [REPLACED], { only_session: id, close: 'replaced' });
  }

  closed(userId: number, session: Session): void {
    this.#options.connections.remove(userId, session.id);
  }
}

// What goes to one user: to the sockets here at once, to those on other replicas over the user's channel.
import { encodeEvents, userChannel, type FanoutHeader } from '@parley/live';
import { closeCodes } from '@parley/protocol';
import type { Fanout } from '../ports.ts';
import type { Session } from '../sockets/session.ts';
import type { LocalUsers } from './local-users.ts';

type Options = Pick<FanoutHeader, 'except_session' | 'only_session' | 'close'>;

export class UserEvents {
  readonly #users: LocalUsers;
  readonly #fanout: Fanout;
  readonly #instance: string;
  /** users whose subscription does not stand yet */
  readonly #listening = new Map<number, Promise<void>>();

  constructor({ users, fanout, instance }: { users: LocalUsers; fanout: Fanout; instance: string }) {
    this.#users = users;
    this.#fanout = fanout;
    this.#instance = instance;
  }

  /** With the user's first socket here. Resolves when frames of other replicas arrive here. */
  listen(userId: number): Promise<void> {
    const listening = this.#fanout.subscribe(userChannel(userId)).finally(() => {
      if (this.#listening.get(userId) === listening) this.#listening.delete(userId);
    });
    this.#listening.set(userId, listening);
    return listening;
  }

  /** For a further socket of the user: what the first one waits for; undefined when there is nothing to wait for. */
  listening(userId: number): Promise<void> | undefined {
    return this.#listening.get(userId);
  }

  ignore(userId: number): void {
    this.#listening.delete(userId);
    this.#fanout.unsubscribe(userChannel(userId));
  }

  /** To the user's sockets on every replica. */
  publish(userId: number, frames: readonly object[], options: Options = {}): void {
    const encoded = frames.map((frame) => Buffer.from(JSON.stringify(frame)));
    this.deliver(userId, options, encoded);
    this.#fanout.publish(userChannel(userId), encodeEvents({ from: this.#instance, ...options }, frames));
  }

  /** To the user's sockets here. */
  deliver(userId: number, options: Options, frames: readonly Buffer[]): void {
    for (const session of this.#users.of(userId)) {
      if (session.state !== 'open' || !isMeant(session, options)) continue;
      session.sendFrames(frames);
      if (options.close === 'replaced') session.end(closeCodes.replaced);
    }
  }
}

function isMeant({ id }: Session, { except_session, only_session }: Options): boolean {
  return id !== except_session && (only_session === undefined || id === only_session);
}

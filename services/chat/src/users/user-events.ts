// What goes to one user: to the sockets here at once, to those on other replicas over the user's channel.
import { encodeEvents, userChannel, type FanoutHeader } from '@parley/live';
import { closeCodes } from '@parley/protocol';
import type { Fanout } from '../ports.ts';
import type { Session } from '../session.ts';
import type { LocalUsers } from './local-users.ts';

type Options = Pick<FanoutHeader, 'except_session' | 'only_session' | 'close'>;

export class UserEvents {
  readonly #users: LocalUsers;
  readonly #fanout: Fanout;
  readonly #instance: string;

  constructor({ users, fanout, instance }: { users: LocalUsers; fanout: Fanout; instance: string }) {
    this.#users = users;
    this.#fanout = fanout;
    this.#instance = instance;
  }

  /** Resolves when frames of other replicas arrive here. */
  async listen(userId: number): Promise<void> {
    await this.#fanout.subscribe(userChannel(userId));
  }

  ignore(userId: number): void {
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

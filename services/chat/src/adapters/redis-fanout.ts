// Fan-out over Redis pub/sub: one channel a room, subscribed by the replicas that serve it.
import {
  createRedis,
  createSubscriber,
  decodeFanout,
  messageOf,
  ROOM_CHANNEL_PREFIX,
  roomChannel,
  type Log,
  type RedisClient,
} from '@parley/kit';
import type { Fanout } from '../ports.ts';

export interface RedisFanoutOptions {
  url: string;
  instance: string;
  log: Log;
  /** a log payload of another replica */
  onEntries: (roomId: string, first: number, frames: readonly Buffer[]) => void;
  /** the subscriptions stand again after an outage: something may have been missed */
  onReconnect: () => void;
}

export class RedisFanout implements Fanout {
  readonly #publisher: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #options: RedisFanoutOptions;
  #wasConnected = false;

  constructor(options: RedisFanoutOptions) {
    this.#options = options;
    this.#publisher = createRedis(options.url, `${options.instance}:publish`, options.log);
    this.#subscriber = createSubscriber(options.url, `${options.instance}:subscribe`, options.log);
    this.#subscriber.on('messageBuffer', (channel: Buffer, payload: Buffer) => this.#receive(channel.toString(), payload));
    this.#subscriber.on('ready', () => {
      if (this.#wasConnected) options.onReconnect();
      this.#wasConnected = true;
    });
  }

  get connected(): boolean {
    return this.#subscriber.status === 'ready';
  }

  async subscribe(roomId: string): Promise<void> {
    const subscribed = this.#subscriber.subscribe(roomChannel(roomId));
    // While Redis is away the command waits in the client's queue; the room lives from the database until then.
    if (this.connected) await subscribed;
    else subscribed.catch(() => {});
  }

  unsubscribe(roomId: string): void {
    this.#subscriber.unsubscribe(roomChannel(roomId)).catch(() => {});
  }

  /** A publish that fails is not repeated: receivers find the entries by comparing heads. */
  publish(roomId: string, payload: Buffer): void {
    if (this.#publisher.status !== 'ready') return;
    this.#publisher
      .publish(roomChannel(roomId), payload)
      .catch((error: unknown) => this.#options.log.debug({ reason: messageOf(error) }, 'publish failed'));
  }

  close(): void {
    this.#subscriber.disconnect();
    this.#publisher.disconnect();
  }

  #receive(channel: string, payload: Buffer): void {
    const decoded = decodeFanout(payload);
    if (!decoded) {
      this.#options.log.warn({ channel }, 'a payload on Redis is not in the known format');
      return;
    }
    const { header, frames } = decoded;
    // What this replica published itself was delivered right after its commit.
    if (header.from === this.#options.instance || header.seq === 0) return;
    this.#options.onEntries(channel.slice(ROOM_CHANNEL_PREFIX.length), header.seq, frames);
  }
}

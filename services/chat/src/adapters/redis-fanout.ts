// Fan-out over Redis pub/sub: one channel a room and one a user, subscribed by the replicas that hold their sockets.
import { messageOf, type Log } from '@parley/kit/process';
import { createSubscriber, type RedisClient } from '@parley/kit/redis';
import { traced } from '@parley/kit/tracing';
import { decodeFanout } from '@parley/live';
import type { Channel, Fanout, Received } from '../ports.ts';
import { SubscriptionChanges } from './subscription-changes.ts';

export interface RedisFanoutOptions {
  url: string;
  instance: string;
  log: Log;
  publisher: RedisClient;
}

/** Who takes what arrives. */
export interface FanoutReceivers {
  /** a payload of another replica */
  onReceived: (channel: Channel, received: Received) => void;
  /** the subscriptions stand again after an outage: something may have been missed */
  onReconnect: () => void;
  /** channels with another format, by name; their text is not decoded */
  plain: ReadonlyMap<Channel, (text: string) => void>;
}

export class RedisFanout implements Fanout {
  readonly #subscriber: RedisClient;
  readonly #options: RedisFanoutOptions;
  readonly #changes: SubscriptionChanges;
  #receivers: FanoutReceivers | undefined;
  #wasConnected = false;

  constructor(options: RedisFanoutOptions) {
    this.#options = options;
    this.#subscriber = createSubscriber(options.url, `${options.instance}:subscribe`, options.log);
    this.#changes = new SubscriptionChanges(this.#subscriber);
    this.#subscriber.on('messageBuffer', (channel: Buffer, payload: Buffer) => this.#receive(channel.toString(), payload));
    this.#subscriber.on('ready', () => {
      if (this.#wasConnected) this.#receivers?.onReconnect();
      this.#wasConnected = true;
    });
  }

  /** Once, when there is somebody to take it: from here on what arrives is handed on. */
  deliverTo(receivers: FanoutReceivers): void {
    this.#receivers = receivers;
    for (const channel of receivers.plain.keys()) void this.subscribe(channel);
  }

  get connected(): boolean {
    return this.#subscriber.status === 'ready';
  }

  async subscribe(channel: Channel): Promise<void> {
    const subscribed = this.#changes.add('subscribe', channel);
    // While Redis is away the command waits in the client's queue; rooms live from the database until then.
    if (this.connected) await subscribed;
    else subscribed.catch(() => {});
  }

  unsubscribe(channel: Channel): void {
    this.#changes.add('unsubscribe', channel).catch(() => {});
  }

  /** A publish that fails is not repeated: receivers find the entries by comparing heads. */
  publish(channel: Channel, payload: Buffer): void {
    const { publisher, log } = this.#options;
    if (publisher.status !== 'ready') return;
    traced('publish', { bytes: payload.length }, () => publisher.publish(channel, payload), { kind: 'producer' }).catch((error: unknown) =>
      log.debug({ reason: messageOf(error) }, 'publish failed'),
    );
  }

  close(): void {
    this.#subscriber.disconnect();
  }

  #receive(channel: Channel, payload: Buffer): void {
    const { log, instance } = this.#options;
    if (!this.#receivers) return;
    const { plain, onReceived } = this.#receivers;
    const handle = plain.get(channel);
    if (handle) return handle(payload.toString());
    const received = decodeFanout(payload, instance);
    if (!received) return log.warn({ channel }, 'a payload on Redis is not in the known format');
    // What this replica published itself was delivered right after its commit.
    if (received.header.from !== instance) onReceived(channel, received);
  }
}

// Subscriptions that come in one turn of the event loop go to Redis in one command: after a crash elsewhere thousands of users connect
// within a second, and each command of its own is a write.

type Command = 'subscribe' | 'unsubscribe';

export interface Subscriber {
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
}

interface Batch {
  command: Command;
  channels: string[];
  done: Promise<unknown>;
}

export class SubscriptionChanges {
  readonly #subscriber: Subscriber;
  /** collects until the end of the turn */
  #open: Batch | undefined;

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  /** Resolves when the change is in force. The order of changes is kept. */
  add(command: Command, channel: string): Promise<unknown> {
    if (this.#open?.command === command) {
      this.#open.channels.push(channel);
      return this.#open.done;
    }
    const batch: Batch = { command, channels: [channel], done: Promise.resolve() };
    batch.done = new Promise((resolve, reject) => {
      const send = () => {
        if (this.#open === batch) this.#open = undefined;
        this.#subscriber[command](...batch.channels).then(resolve, reject);
      };
      setImmediate(send);
    });
    this.#open = batch;
    return batch.done;
  }
}

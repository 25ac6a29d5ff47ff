// A client as the protocol asks for it: it keeps unacked messages in order, reconnects to another replica when its socket ends,
// joins with after_seq, applies `seq == last + 1` only, and sends again what was not acked, with the same ids.
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WsClient, type Frame } from './ws-client.ts';

interface Options {
  urls: readonly string[];
  /** which of the urls comes first */
  first: number;
  room: string;
  token: string;
  name: string;
}

export class ResumingClient {
  readonly acks = new Map<string, number>();
  readonly seen: { seq: number; content: string }[] = [];
  /** sockets that were closed without a `reconnect` frame before */
  abrupt = 0;
  /** `reconnect` frames: which replica sent them, why and when */
  readonly moves: { server: string; reason: string; atMs: number }[] = [];
  readonly #options: Options;
  #unacked = new Map<string, string>();
  #client: WsClient | undefined;
  #stopped = false;
  #tries = 0;
  /** why it could not connect or join the last time */
  #refused: string | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Stopped at the end of the test, also of one that fails: as long as it tries to come back, the process does not end. */
  static start(test: Pick<TestContext, 'after'>, options: Options): Promise<ResumingClient> {
    const client = new ResumingClient(options);
    test.after(() => client.stop());
    return client.start();
  }

  async start(): Promise<this> {
    await this.#connect();
    void this.#keepConnected();
    return this;
  }

  stop(): void {
    this.#stopped = true;
    this.#client?.socket.terminate();
  }

  /** Sends `count` messages, one every `everyMs`, and resolves when all are acked. */
  async sendMany(count: number, everyMs: number): Promise<void> {
    const before = this.acks.size + this.#unacked.size;
    for (let index = 0; index < count; index++) {
      const id = `${this.#options.name}-${before + index}`;
      this.#unacked.set(id, `text of ${id}`);
      this.#send(id);
      await sleep(everyMs);
    }
    await until(
      () => this.#unacked.size === 0,
      60_000,
      () => `${this.#options.name}: ${this.#unacked.size} unacked; ${this.#tries} connections; ${this.#describe()}`,
    );
  }

  /** How its socket is, and what it got last. */
  #describe(): string {
    const { closed, socket, frames = [] } = this.#client ?? {};
    return JSON.stringify({ state: socket?.readyState, closed, frames: frames.slice(-5), refused: this.#refused });
  }

  acked(count: number): Promise<void> {
    return until(
      () => this.acks.size >= count,
      20_000,
      () => `${this.acks.size} acked`,
    );
  }
  reached(seq: number): Promise<void> {
    return until(
      () => (this.seen.at(-1)?.seq ?? 0) >= seq,
      60_000,
      () => `${this.#options.name} saw ${this.seen.at(-1)?.seq} of ${seq}`,
    );
  }

  #send(id: string): void {
    const content = this.#unacked.get(id);
    if (content === undefined || this.#client?.closed || this.#client?.socket.readyState !== 1) return;
    this.#client.send({ type: 'message', room_id: this.#options.room, content, client_msg_id: id });
  }

  async #keepConnected(): Promise<void> {
    while (!this.#stopped) {
      const client = this.#client;
      if (client) {
        await client.until(() => client.closed ?? client.frames.find((frame) => frame.type === 'reconnect'), 600_000).catch(() => {});
        if (this.#stopped) return;
        this.#ended(client);
        client.socket.close();
        this.#client = undefined;
      }
      await this.#connect().catch((error: unknown) => {
        this.#refused = String(error);
        const half = this.#client;
        this.#client = undefined;
        half?.socket.terminate();
        return sleep(50 + Math.random() * 100);
      });
    }
  }

  #ended({ frames }: WsClient): void {
    const asked = frames.find((frame) => frame.type === 'reconnect');
    if (!asked) return void this.abrupt++;
    const server = String(frames.find((frame) => frame.type === 'welcome')?.['server']);
    this.moves.push({ server, reason: String(asked['reason']), atMs: Date.now() });
  }

  async #connect(): Promise<void> {
    const { urls, first, token, room } = this.#options;
    const url = urls[(first + this.#tries++) % urls.length] as string;
    const client = new WsClient(`${url}?token=${token}`);
    this.#client = client;
    let handled = 0;
    client.socket.on('message', () => {
      for (; handled < client.frames.length; handled++) this.#receive(client.frames[handled] as Frame);
    });
    const welcome = await client.until(() => client.closed ?? client.frames.find(({ type }) => type === 'welcome'));
    if (!('type' in welcome)) throw new Error(client.failure ?? JSON.stringify(welcome));
    const joined = await client.join(room, this.seen.at(-1)?.seq ?? 0);
    if (joined.type !== 'joined') throw new Error(`not joined: ${JSON.stringify(joined)}`);
    for (const id of this.#unacked.keys()) this.#send(id);
  }

  #receive(frame: Frame): void {
    if (frame.type === 'ack') {
      const id = String(frame['client_msg_id']);
      this.acks.set(id, Number(frame['seq']));
      this.#unacked.delete(id);
    } else if (frame.type === 'message') {
      const seq = Number(frame['seq']);
      const last = this.seen.at(-1)?.seq ?? 0;
      if (seq === last + 1) this.seen.push({ seq, content: String(frame['content']) });
      else if (seq > last + 1) this.#client?.send({ type: 'join_room', room_id: this.#options.room, after_seq: last });
    } else if (frame.type === 'rate_limit_exceeded' && frame['client_msg_id'] !== undefined) {
      setTimeout(() => this.#send(String(frame['client_msg_id'])), Number(frame['retry_after']) * 1000);
    } else if (frame.type === 'error' && frame['retryable'] === true && frame['client_msg_id'] !== undefined) {
      setTimeout(() => this.#send(String(frame['client_msg_id'])), Number(frame['retry_after_ms'] ?? 100));
    }
  }
}

async function until(check: () => boolean, deadlineMs: number, explain: () => string): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!check()) {
    if (Date.now() > end) throw new Error(`not reached in ${deadlineMs} ms: ${explain()}`);
    await sleep(20);
  }
}

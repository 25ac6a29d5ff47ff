// A WebSocket client that remembers every frame it got, so that a test can wait for one or look at all.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface Frame {
  type: string;
  [field: string]: unknown;
}

/** Long enough for a machine that has much else to do: how fast something is, benchmarks tell. */
const PATIENCE_MS = 120_000;

export class WsClient {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  closed: { code: number; reason: string } | undefined;
  /** why there is no socket: refused by TCP or by HTTP */
  failure: string | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers, perMessageDeflate: false });
    this.socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as Frame);
      this.#wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.socket.on('error', ({ message }) => (this.failure = message));
  }

  /** Connects and resolves when the socket is open. */
  static async open(url: string, headers?: Record<string, string>): Promise<WsClient> {
    const client = new WsClient(url, headers);
    await once(client.socket, 'open');
    return client;
  }

  /** Connects with `?token=` and resolves after `welcome`. */
  static async login(url: string, token: string): Promise<WsClient> {
    const client = await WsClient.open(`${url}?token=${token}`);
    await client.next((frame) => frame.type === 'welcome');
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** The first frame, past or future, that matches. Throws after `deadlineMs`, with what was received. */
  async next(matches: (frame: Frame) => boolean, deadlineMs = PATIENCE_MS): Promise<Frame> {
    return this.until(() => this.frames.find(matches), deadlineMs);
  }

  async until<T>(check: () => T | undefined, deadlineMs = PATIENCE_MS): Promise<T> {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const value = check();
      if (value !== undefined && value !== false) return value;
      const left = end - Date.now();
      if (left <= 0)
        throw new Error(`not received; closed: ${JSON.stringify(this.closed)}; frames: ${JSON.stringify(this.frames.slice(-5))}`);
      await this.#change(left);
    }
  }

  waitClosed(deadlineMs = PATIENCE_MS): Promise<{ code: number; reason: string }> {
    return this.until(() => this.closed, deadlineMs);
  }

  async join(room_id: string, after_seq?: number): Promise<Frame> {
    const seen = this.frames.length;
    this.send({ type: 'join_room', room_id, ...(after_seq === undefined ? {} : { after_seq }) });
    return this.until(() =>
      this.frames.slice(seen).find((frame) => (frame.type === 'joined' || frame.type === 'error') && frame['room_id'] === room_id),
    );
  }

  /** Sends a message and resolves with its `ack` or `error`. */
  async say(room_id: string, content: string, client_msg_id: string): Promise<Frame> {
    const seen = this.frames.length;
    this.send({ type: 'message', room_id, content, message_type: 'text', client_msg_id });
    return this.until(() =>
      this.frames.slice(seen).find((frame) => (frame.type === 'ack' || frame.type === 'error') && frame['client_msg_id'] === client_msg_id),
    );
  }

  messages(roomId?: string): Frame[] {
    return this.frames.filter((frame) => frame.type === 'message' && (roomId === undefined || frame['room_id'] === roomId));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.socket.close();
    await Promise.race([this.waitClosed(2000), sleep(2000)]).catch(() => {});
    this.socket.terminate();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #change(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      timer = setTimeout(resolve, withinMs);
    });
    clearTimeout(timer);
  }
}

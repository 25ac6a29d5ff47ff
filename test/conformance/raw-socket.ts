// A WebSocket client made of a TCP socket: it can send what the RFC forbids, and notes everything that comes back.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decodeFrames, ping } from './frames.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const END = 'end of case';

export interface Answer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

export class RawSocket {
  readonly socket: Socket;
  /** What came, in words: `pong "abc"`, `frame error invalid_frame`, `close 1000`, `end` when the server has closed TCP. */
  readonly events: string[] = [];
  #unread = Buffer.alloc(0);
  #answer: Answer | undefined;
  #wake = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => this.#read(data));
    socket.on('error', () => {});
    for (const event of ['end', 'close'] as const)
      socket.once(event, () => {
        if (this.events.at(-1) !== 'end') this.events.push('end');
        this.#wake();
      });
  }

  static async connect(port: number): Promise<RawSocket> {
    // Half-open, so that the server's end of TCP is seen even when this side has not ended.
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new RawSocket(socket);
  }

  /** Connects and upgrades; `first` is sent together with the request. */
  static async open(port: number, path: string, first: Buffer = Buffer.alloc(0)): Promise<RawSocket> {
    const raw = await RawSocket.connect(port);
    const key = randomBytes(16).toString('base64');
    raw.send(Buffer.concat([Buffer.from(upgradeRequest(path, { 'Sec-WebSocket-Key': key })), first]));
    const answer = await raw.answer();
    if (answer.status !== 101) throw new Error(`the upgrade was answered with ${answer.status}`);
    const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    if (answer.headers.get('sec-websocket-accept') !== accept) throw new Error('wrong Sec-WebSocket-Accept');
    return raw;
  }

  send(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** The HTTP answer; status 0 when the server closes without one. */
  async answer(): Promise<Answer> {
    await this.until(() => this.#answer !== undefined || this.events.at(-1) === 'end');
    return this.#answer ?? { status: 0, headers: new Map(), body: '' };
  }

  /**
   * Everything the server did about what was sent so far. A ping goes out behind it: a server that still listens answers it last, so
   * nothing has to be waited for by the clock.
   */
  async outcome(): Promise<string> {
    this.send(ping(END));
    const last = `pong "${END}"`;
    await this.until(() => this.events.includes(last) || this.events.at(-1) === 'end');
    // Neither the answer nor the end: the server still holds a connection that it does not serve.
    if (!this.events.includes(last) && this.events.at(-1) !== 'end') this.events.push('silence');
    this.socket.destroy();
    return this.events.filter((event) => event !== last).join(', ') || 'nothing';
  }

  /** Resolves also when it never becomes true: what is missing then shows in the events. */
  async until(done: () => boolean, deadlineMs = 4000): Promise<void> {
    const end = Date.now() + deadlineMs;
    while (!done() && Date.now() < end) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, end - Date.now());
      });
      clearTimeout(timer);
    }
  }

  #read(data: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, data]);
    if (!this.#answer) this.#readAnswer();
    if (this.#answer?.status === 101) {
      const { frames, rest } = decodeFrames(this.#unread);
      this.#unread = Buffer.from(rest);
      this.events.push(...frames.map(wordsOf));
    }
    this.#wake();
  }

  #readAnswer(): void {
    const headEnd = this.#unread.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const [first = '', ...lines] = this.#unread.subarray(0, headEnd).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    this.#unread = this.#unread.subarray(headEnd + 4);
    this.#answer = { status: Number(first.split(' ')[1]), headers, body: this.#unread.toString() };
  }
}

function wordsOf({ opcode, fin, masked, rsv, payload }: ReturnType<typeof decodeFrames>['frames'][number]): string {
  if (masked) return 'a masked frame';
  if (rsv !== 0 || !fin) return `a frame with fin ${fin} and reserved bits ${rsv}`;
  if (opcode === 8) return payload.length === 0 ? 'close' : `close ${payload.readUInt16BE(0)}`;
  if (opcode === 9) return 'ping';
  if (opcode === 10) return `pong "${payload.length > 40 ? `${payload.length} bytes` : payload.toString('latin1')}"`;
  if (opcode !== 1) return `a frame with opcode ${opcode}`;
  const { type, code } = JSON.parse(payload.toString()) as { type: string; code?: string };
  return code === undefined ? `frame ${type}` : `frame ${type} ${code}`;
}

/** Headers given as undefined are left out. */
export function upgradeRequest(path: string, change: Record<string, string | undefined> = {}, firstLine = `GET ${path} HTTP/1.1`): string {
  const headers: Record<string, string | undefined> = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...change,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${[firstLine, ...lines].join('\r\n')}\r\n\r\n`;
}

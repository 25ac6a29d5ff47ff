// One socket of the canary: a client of the protocol that resumes. It tells what happens and decides nothing.
import type { ServerFrame } from '@parley/protocol';
import { WebSocket, type RawData } from 'ws';

export interface SocketEvents {
  /** Where to join, and after which position. */
  place: () => { roomId: string; afterSeq: number | undefined };
  token: () => string;
  joined: (frame: Extract<ServerFrame, { type: 'joined' }>, server: string) => void;
  message: (frame: Extract<ServerFrame, { type: 'message' }>) => 'fine' | 'rejoin';
  acked: (frame: Extract<ServerFrame, { type: 'ack' }>) => void;
  /** The socket is away; `asked`: the server said `reconnect` before. */
  away: (asked: boolean, reason: string) => void;
}

const HANDSHAKE_MS = 10_000;
/** A socket of which nothing is heard for so long is dead: the server pings more often. */
const SILENT_MS = 90_000;
const FRAME_MAX_BYTES = 1_000_000;

export class CanarySocket {
  readonly #events: SocketEvents;
  readonly #socket: WebSocket;
  #server = '';
  #asked = false;
  #gone = false;
  #silent: NodeJS.Timeout | undefined;
  open = false;

  constructor(url: string, events: SocketEvents) {
    this.#events = events;
    // It measures delivery; whom the certificate is for is the clients' concern, and inside the cluster the name is another one.
    this.#socket = new WebSocket(url, { rejectUnauthorized: false, handshakeTimeout: HANDSHAKE_MS, maxPayload: FRAME_MAX_BYTES });
    this.#socket.on('open', () => this.#send({ type: 'auth', token: events.token() }));
    this.#socket.on('message', (data: RawData) => this.#heard(data));
    this.#socket.on('ping', () => this.#alive());
    this.#socket.on('close', (code, reason) => this.#end(`closed with ${code} ${reason.toString()}`.trim()));
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#alive();
  }

  send(frame: { room_id: string; content: string; client_msg_id: string }): void {
    this.#send({ type: 'message', ...frame });
  }
  renewToken(): void {
    if (this.open) this.#send({ type: 'auth', token: this.#events.token() });
  }
  close(): void {
    this.#end('closed by the canary');
    this.#socket.terminate();
  }

  #send(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #join(): void {
    const { roomId, afterSeq } = this.#events.place();
    this.#send({ type: 'join_room', room_id: roomId, ...(afterSeq === undefined ? {} : { after_seq: afterSeq }) });
  }

  #heard(data: RawData): void {
    this.#alive();
    const frame = JSON.parse((data as Buffer).toString('utf8')) as ServerFrame;
    switch (frame.type) {
      case 'welcome':
        this.#server = frame.server;
        // A second welcome answers a renewed token.
        if (!this.open) this.#join();
        break;
      case 'joined':
        this.open = true;
        this.#events.joined(frame, this.#server);
        break;
      case 'message':
        if (this.#events.message(frame) === 'rejoin') this.#join();
        break;
      case 'ack':
        this.#events.acked(frame);
        break;
      case 'gap':
        this.#join();
        break;
      case 'error':
        // A message is sent again in a while; without a join the socket is of no use.
        if (!this.open) this.#end(`${frame.code}: ${frame.message}`);
        if (!this.open) this.#socket.terminate();
        break;
      case 'reconnect':
        this.#asked = true;
        // The server says when, so that not everybody comes at once.
        setTimeout(() => this.close(), frame.after_ms);
        break;
      default:
    }
  }

  #alive(): void {
    clearTimeout(this.#silent);
    this.#silent = setTimeout(() => {
      this.#end(`nothing was heard for ${SILENT_MS / 1000} s`);
      this.#socket.terminate();
    }, SILENT_MS);
  }

  #end(reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.open = false;
    clearTimeout(this.#silent);
    this.#events.away(this.#asked, reason);
  }
}

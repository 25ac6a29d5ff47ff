// What the server keeps of one socket, and the only holder of the binding's object: one object of fixed shape, no timers and no closures
// of its own. Most sockets look at one room; a Map exists only from the second one on.
import type { WebSocket } from 'uWebSockets.js';
import type { ClientFrame } from '@parley/protocol';
import type { Identity } from '@parley/kit/tokens';
import type { TraceCaller } from '@parley/kit/tracing';
import { PagedWriter, type PagedAnswer, type PagedLimits, type PagedState } from '../domain/paged-writer.ts';
import type { Strikes } from '../domain/strikes.ts';
import type { RoomFeed } from '../rooms/room-feed.ts';

export type SessionState = 'pending' | 'open' | 'closed';

/** What a client shows to prove who it is. */
export type Credential = {
  kind: 'token' | 'ticket';
  value: string;
  /** the trace that the upgrade is a part of; looked at only while traces are recorded */
  caller?: TraceCaller | undefined;
};

/** A parsed frame and the size of its text, in UTF-16 units. */
export interface ReceivedFrame {
  frame: ClientFrame;
  bytes: number;
}

const NOTHING: readonly ReceivedFrame[] = [];

/** A join that is under way, or the feed of a joined room. */
export type RoomPlace = RoomFeed | JoinInProgress;

/** Compared by identity: a later join, leave or removal puts another object or none into its place. */
export class JoinInProgress {
  readonly roomId: string;
  /** seq of the newest entry that ended the user's membership while the join was under way */
  endedAt = 0;
  constructor(roomId: string) {
    this.roomId = roomId;
  }
}

/** getUserData() may give another object than the one that was handed over (ADR 0002): one key survives that. */
export interface SocketData {
  session: Session;
}

export interface SessionStart {
  id: string;
  address: string;
  credential: Credential | undefined;
  nowMs: number;
  pagedLimits: PagedLimits;
}

export class Session {
  #ws: WebSocket<SocketData> | undefined = undefined;
  state: SessionState = 'pending';
  readonly id: string;
  readonly address: string;
  /** from the upgrade; cleared when the verification begins */
  credential: Credential | undefined;
  identity: Identity | undefined = undefined;
  readonly openedAtMs: number;
  /** frames that arrived before the token was verified */
  queued: readonly ReceivedFrame[] = NOTHING;
  queuedBytes = 0;
  verifying = false;
  /** the last one that came by `auth` while another was verified: it is the next */
  nextToken: string | undefined = undefined;
  warnedOfExpiry = false;
  /** has been asked to reconnect elsewhere */
  toldToReconnect = false;
  /** sweeps for which its buffer is too full for ephemeral frames; 0: it is not */
  slowSweeps = 0;
  /** bytes of long answers that were written when these sweeps began */
  slowSinceBytes = 0;
  /** its unsent bytes passed the bound: it is cut, which leaves no room for a close frame */
  passedBound = false;
  /** joins that were not charged and led nowhere */
  freeJoinsFailed = 0;
  strikes: Strikes | undefined = undefined;
  refusals: Strikes | undefined = undefined;
  readonly #pagedLimits: PagedLimits;
  /** there while long answers are under way */
  #paged: PagedWriter | undefined = undefined;
  #nextTurn = false;
  #first: RoomPlace | undefined = undefined;
  #more: Map<string, RoomPlace> | undefined = undefined;

  constructor({ id, address, credential, nowMs, pagedLimits }: SessionStart) {
    this.id = id;
    this.address = address;
    this.credential = credential;
    this.openedAtMs = nowMs;
    this.#pagedLimits = pagedLimits;
  }

  /** Keeps a frame until the token is verified. */
  queue(received: ReceivedFrame): void {
    this.queued = [...this.queued, received];
    this.queuedBytes += received.bytes;
  }

  takeQueued(): readonly ReceivedFrame[] {
    const { queued } = this;
    this.queued = NOTHING;
    this.queuedBytes = 0;
    return queued;
  }

  /** Rooms joined or being joined. */
  get roomCount(): number {
    return (this.#first ? 1 : 0) + (this.#more?.size ?? 0);
  }

  room(roomId: string): RoomPlace | undefined {
    return this.#first?.roomId === roomId ? this.#first : this.#more?.get(roomId);
  }

  setRoom(place: RoomPlace): void {
    if (this.#more?.has(place.roomId)) this.#more.set(place.roomId, place);
    else if (!this.#first || this.#first.roomId === place.roomId) this.#first = place;
    else (this.#more ??= new Map<string, RoomPlace>()).set(place.roomId, place);
  }

  deleteRoom(roomId: string): void {
    if (this.#first?.roomId === roomId) this.#first = undefined;
    else this.#more?.delete(roomId);
  }

  roomIds(): string[] {
    return [...(this.#first ? [this.#first.roomId] : []), ...(this.#more?.keys() ?? [])];
  }

  /** For the edge's open handler: from here on frames reach the socket. */
  attach(ws: WebSocket<SocketData>): void {
    this.#ws = ws;
  }

  /** For the edge's close handler, first of all: the binding's object must not be touched any more. */
  detach(): void {
    this.state = 'closed';
    this.#ws = undefined;
  }

  /** Of the other end, which may be a proxy; as the binding writes it, empty when the socket is gone. */
  get remoteAddress(): string {
    return this.#ws ? Buffer.from(this.#ws.getRemoteAddressAsText()).toString() : '';
  }

  /** From here on what is published to the room reaches the socket. */
  subscribe(roomId: string): void {
    if (this.state !== 'closed') this.#ws?.subscribe(roomId);
  }

  unsubscribe(roomId: string): void {
    if (this.state !== 'closed') this.#ws?.unsubscribe(roomId);
  }

  /** Sends one frame; nothing happens when the socket is gone. */
  send(frame: object): void {
    if (this.state !== 'closed') this.#ws?.send(JSON.stringify(frame));
  }

  /** Sends one frame together with what was published to the socket in this turn, in one write. For use outside of the edge's handlers. */
  sendCorked(frame: object): void {
    const ws = this.#ws;
    if (this.state === 'closed' || !ws) return;
    const text = JSON.stringify(frame);
    ws.cork(() => ws.send(text));
  }

  /** Sends encoded frames in one write. */
  sendFrames(frames: readonly Buffer[]): void {
    const ws = this.#ws;
    if (this.state === 'closed' || !ws) return;
    ws.cork(() => {
      for (const frame of frames) ws.send(frame);
    });
  }

  /** Bytes that the kernel has not taken yet. */
  get bufferedBytes(): number {
    return this.state === 'closed' ? 0 : (this.#ws?.getBufferedAmount() ?? 0);
  }

  /** Long answers under way: how much of them was written, and whether the rest waits for the reader. */
  get paged(): { written: number; blocked: boolean } | undefined {
    return this.#paged;
  }

  /** Sends a long answer as fast as it is read: what the reader has not taken stays where the answer has it from. */
  sendPaged(answer: PagedAnswer): void {
    if (this.state === 'closed') return answer.drop();
    this.#paged ??= new PagedWriter(this.#pagedLimits);
    this.#paged.add(answer);
    this.goOn();
  }

  /** Writes what is due of long answers: the socket has drained, or there are frames again. */
  goOn(): void {
    const ws = this.#ws;
    const paged = this.#paged;
    if (!paged || this.state === 'closed' || !ws) return;
    let state = 'idle' as PagedState;
    ws.cork(() => {
      state = paged.write({ buffered: () => ws.getBufferedAmount(), send: (frame) => ws.send(frame) });
    });
    if (paged.done) {
      this.#paged = undefined;
      this.slowSinceBytes = 0;
      return;
    }
    // The end of the cork may have emptied the buffer, and an empty one does not drain.
    if (state === 'full' && ws.getBufferedAmount() === 0) state = 'more';
    if (state === 'more' && !this.#nextTurn) {
      this.#nextTurn = true;
      setImmediate(() => {
        this.#nextTurn = false;
        this.goOn();
      });
    }
  }

  /** For the edge's close handler, after the rooms were left: long answers end. */
  dropPaged(): void {
    this.#paged?.drop();
    this.#paged = undefined;
  }

  /** Ends the connection with a close code; the edge's close handler cleans up. */
  end(close: { code: number; reason: string }): void {
    if (this.state !== 'closed') this.#ws?.end(close.code, close.reason);
  }
}

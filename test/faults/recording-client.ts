// A client that follows the protocol's rules and records everything: it keeps unacked messages in order, resumes on any replica, applies
// `seq == last + 1` only, and sends again what was not acked, with the same id.
import { WebSocket } from 'ws';
import type { HistoryEvent } from './history.ts';

export interface ClientOptions {
  user: number;
  token: string;
  /** replicas at this moment; one that is down is tried and left again */
  urls: () => readonly string[];
  random: () => number;
  record: (event: HistoryEvent) => void;
  nextJoin: () => number;
}

interface Frame {
  type: string;
  room_id: string;
  seq: number;
  [field: string]: unknown;
}

interface RoomState {
  last: number;
  wanted: boolean;
  join: number | undefined;
  joined: boolean;
  /** leave_room was sent; `left` has not come */
  leaving: boolean;
}

/** Answers after which the same message is never accepted. */
const FINAL = new Set(['not_a_member', 'message_too_large', 'invalid_frame']);

export class RecordingClient {
  readonly user: number;
  /** sockets that ended without a `reconnect` frame before, other than by this client */
  readonly unacked = new Map<string, { room: string; content: string }>();
  readonly rooms = new Map<string, RoomState>();
  readonly #options: ClientOptions;
  #socket: WebSocket | undefined;
  #open = false;
  #stopped = false;
  #count = 0;
  #tries = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.user = options.user;
    this.#tries = Math.floor(options.random() * 1000);
  }

  connect(): void {
    if (this.#stopped) return;
    const urls = this.#options.urls();
    const url = urls[this.#tries++ % urls.length] as string;
    const socket = new WebSocket(`${url}?token=${this.#options.token}`, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      if (this.#socket === socket) this.#receive(JSON.parse(data.toString()) as Frame);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#ended();
      setTimeout(() => this.connect(), 20 + this.#options.random() * 200);
    });
  }

  /** The socket goes away without a word, or in order; the client comes back by itself. */
  drop(how: 'close' | 'terminate'): void {
    this.#socket?.[how]();
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.terminate();
    this.#ended();
  }

  say(room: string): void {
    const id = `u${this.user}-${this.#count++}`;
    const content = `${id} in ${room.slice(-6)}`;
    this.unacked.set(id, { room, content });
    this.#options.record({ kind: 'sent', user: this.user, room, id, content });
    this.#send({ type: 'message', room_id: room, content, client_msg_id: id });
  }

  join(room: string): void {
    const state = this.rooms.get(room) ?? { last: 0, wanted: true, join: undefined, joined: false, leaving: false };
    this.rooms.set(room, state);
    state.wanted = true;
    if (!this.#open) return;
    if (state.join === undefined) return this.#join(room, state);
    // Frames of the old and the new join look alike: the answer to leave_room stands between them.
    state.leaving = true;
    this.#send({ type: 'leave_room', room_id: room });
  }

  leave(room: string): void {
    const state = this.rooms.get(room);
    if (!state) return;
    state.wanted = false;
    state.leaving = true;
    this.#send({ type: 'leave_room', room_id: room });
  }

  read(room: string): void {
    const last = this.rooms.get(room)?.last ?? 0;
    if (last > 0) this.#send({ type: 'read', room_id: room, seq: last });
  }

  /** Everything acked, and every wanted room joined. */
  get settled(): boolean {
    return this.#open && this.unacked.size === 0 && [...this.rooms.values()].every((room) => !room.wanted || room.joined);
  }

  #send(frame: object): void {
    if (this.#open && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #join(room: string, state: RoomState): void {
    this.#over(state);
    state.join = this.#options.nextJoin();
    this.#options.record({ kind: 'join', join: state.join, user: this.user, room, afterSeq: state.last });
    this.#send({ type: 'join_room', room_id: room, after_seq: state.last });
  }

  #over(state: RoomState): void {
    if (state.join !== undefined) this.#options.record({ kind: 'over', join: state.join });
    state.join = undefined;
    state.joined = false;
  }

  #ended(): void {
    this.#open = false;
    for (const state of this.rooms.values()) {
      state.leaving = false;
      this.#over(state);
    }
  }

  #receive(frame: Frame): void {
    const { record } = this.#options;
    const room = this.rooms.get(frame.room_id);
    switch (frame.type) {
      case 'welcome':
        this.#open = true;
        for (const [id, state] of this.rooms) if (state.wanted) this.#join(id, state);
        for (const [id, { room: to, content }] of this.unacked) {
          this.#send({ type: 'message', room_id: to, content, client_msg_id: id });
        }
        return;
      case 'message':
        if (room?.join !== undefined) this.#deliver(frame, room, room.join);
        return;
      case 'joined':
        if (room?.join === undefined) return;
        room.joined = true;
        record({
          ...{ kind: 'joined', join: room.join, head: frame.seq, recovered: frame['recovered'] === true },
          replayedFrom: frame['replayed_from'] as number | undefined,
        });
        return;
      case 'gap':
        if (room?.join === undefined) return;
        record({ kind: 'gap', join: room.join, from: Number(frame['from']), to: Number(frame['to']) });
        room.last = Number(frame['to']);
        return;
      case 'left':
        if (!room?.leaving) return;
        room.leaving = false;
        this.#over(room);
        if (room.wanted) this.#join(frame.room_id, room);
        return;
      case 'member_removed':
      case 'member_left':
        if (frame['user_id'] === this.user && room) {
          room.wanted = false;
          this.#over(room);
        }
        return;
      case 'ack':
        record({
          ...{ kind: 'ack', user: this.user, room: frame.room_id, id: String(frame['client_msg_id']), seq: frame.seq },
          entry: String(frame['id']),
        });
        this.unacked.delete(String(frame['client_msg_id']));
        return;
      case 'error':
        this.#refused(frame);
        return;
      case 'reconnect':
        setTimeout(() => this.drop('close'), Number(frame['after_ms']) * this.#options.random());
    }
  }

  #deliver(frame: Frame, room: RoomState, join: number): void {
    this.#options.record({
      ...{ kind: 'delivered', join, seq: frame.seq, entry: String(frame['id']), content: String(frame['content']) },
      sender: Number(frame['sender_id']),
    });
    if (frame.seq === room.last + 1) room.last = frame.seq;
  }

  #refused(frame: Frame): void {
    const id = frame['client_msg_id'] as string | undefined;
    const code = String(frame['code']);
    if (id !== undefined) {
      const message = this.unacked.get(id);
      if (!message) return;
      this.#options.record({ kind: 'refused', user: this.user, room: message.room, id, code });
      if (FINAL.has(code)) this.unacked.delete(id);
      else setTimeout(() => this.#again(id), Number(frame['retry_after_ms'] ?? 100));
      return;
    }
    const room = this.rooms.get(frame.room_id);
    if (!room) return;
    this.#over(room);
    if (code === 'not_a_member') room.wanted = false;
    else setTimeout(() => room.wanted && this.#open && room.join === undefined && this.#join(frame.room_id, room), 200);
  }

  #again(id: string): void {
    const message = this.unacked.get(id);
    if (message) this.#send({ type: 'message', room_id: message.room, content: message.content, client_msg_id: id });
  }
}

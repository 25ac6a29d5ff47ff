// A client that follows the protocol's rules and records everything: it keeps unacked messages in order, resumes on any replica, applies
// `seq == last + 1` only, and sends again what was not acked, with the same id.
import { WebSocket } from 'ws';
import type { Answer, CoreProcess } from './core-process.ts';
import type { HistoryEvent } from './history.ts';

export interface ClientOptions {
  user: number;
  token: string;
  /** replicas at this moment; one that is down is tried and left again */
  urls: () => readonly string[];
  random: () => number;
  record: (event: HistoryEvent) => void;
  nextJoin: () => number;
  rest: CoreProcess['call'];
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
    this.#again(this.#write(room));
  }

  /** By REST at first; if that fails, by the socket under the same id. */
  async sayByRest(room: string): Promise<void> {
    const id = this.#write(room);
    const { content } = this.unacked.get(id) ?? {};
    const { record, rest } = this.#options;
    let answer: Answer | undefined;
    try {
      answer = await rest(this.user, 'POST', `/api/rooms/${room}/messages`, { body: { content }, idempotencyKey: id });
    } catch {
      // Nobody knows whether it is stored.
    }
    if (this.#stopped || !answer) return this.#again(id);
    const { status, body } = answer;
    if (status === 200 || status === 201) {
      record({ kind: 'ack', user: this.user, room, id, seq: Number(body['seq']), entry: String(body['id']) });
      this.unacked.delete(id);
    } else {
      record({ kind: 'refused', user: this.user, room, id, code: String(status) });
      if (status === 403 || status === 404) this.unacked.delete(id);
      else setTimeout(() => this.#again(id), 500);
    }
  }

  #write(room: string): string {
    const id = `u${this.user}-${this.#count++}`;
    const content = `${id} in ${room.slice(-6)}`;
    this.unacked.set(id, { room, content });
    this.#options.record({ kind: 'sent', user: this.user, room, id, content });
    return id;
  }

  /** As a new device that knows nothing of the room. */
  forget(room: string): void {
    const state = this.rooms.get(room);
    if (state) state.last = 0;
    this.join(room);
  }

  /** Does it have everything up to this seq, or is it out of the room? */
  isAt(room: string, head: number): boolean {
    const state = this.rooms.get(room);
    return !state?.joined || state.last === head;
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
        void this.#page(room.join, frame);
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

  /** Fetches the older part of a replay. */
  async #page(join: number, { room_id, ...gap }: Frame): Promise<void> {
    const to = Number(gap['to']);
    for (let after = Number(gap['from']) - 1; after < to && !this.#stopped;) {
      const path = `/api/rooms/${room_id}/messages?after_seq=${after}&limit=100`;
      const answer = await this.#options.rest(this.user, 'GET', path).catch(() => undefined);
      const messages = (answer?.status === 200 ? answer.body['messages'] : undefined) as Frame[] | undefined;
      if (!messages?.length || this.#stopped) return;
      for (const { seq, id, content, sender_id } of messages.filter((each) => each.seq <= to)) {
        this.#options.record({
          ...{ kind: 'paged', join, seq, entry: String(id), content: String(content), sender: Number(sender_id) },
        });
        after = seq;
      }
    }
  }
}

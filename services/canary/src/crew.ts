// One account, its room and its sockets. A user may have few sockets only, so a large cluster needs several crews.
import type { Log } from '@parley/kit/process';
import { messageOf } from '@parley/kit/process';
import { freshRoom, logIn, type AccountOptions } from './adapters/account.ts';
import { CanarySocket } from './adapters/socket.ts';
import { Ledger } from './domain/ledger.ts';

/** Below the default of ten sockets for each user, with room for one that reconnects while its old connection is not told dead yet. */
export const SOCKETS_MAX = 8;
/** Share of its life after which a token is renewed. */
const RENEW_AT = 0.6;
const AGAIN_MS = 10_000;
/** From one try to the next of a socket that cannot be opened. */
const RETRY_MS = 2000;
/** A message without an ack is sent again after this time, under the same id. */
const RESEND_MS = 5000;
/** More of them wait for an ack: no new one is sent. */
const UNACKED_MAX = 50;

export interface CrewOptions {
  account: AccountOptions;
  lostAfterMs: number;
  log: Log;
  now: () => number;
  /** begins the ids of messages; another one for each start */
  run: string;
  onAck: () => void;
  onArrival: (ms: number) => void;
}

interface Member {
  url: string;
  socket: CanarySocket | undefined;
  server: string;
  /** since when it has been away */
  awayMs: number | undefined;
  retry?: NodeJS.Timeout;
}

export class Crew {
  readonly ledger: Ledger;
  readonly #options: CrewOptions;
  readonly #members = new Map<string, Member>();
  readonly #unacked = new Map<string, { sentMs: number; triedMs: number }>();
  /** ids of this crew that may still arrive -> when they were sent */
  readonly #sent = new Map<string, number>();
  #token = '';
  #roomId = '';
  #number = 0;
  #turn = 0;
  #renewal: NodeJS.Timeout | undefined;
  #closed = false;
  /** why it cannot work, as far as it is known */
  obstacle: string | undefined = 'not logged in yet';

  constructor(options: CrewOptions) {
    this.#options = options;
    this.ledger = new Ledger(options.lostAfterMs);
  }

  get size(): number {
    return this.#members.size;
  }
  get openSockets(): number {
    return [...this.#members.values()].filter(({ socket }) => socket?.open).length;
  }
  has(key: string): boolean {
    return this.#members.has(key);
  }
  /** Members that are away, with the time since when. */
  away(): [key: string, sinceMs: number][] {
    return [...this.#members].flatMap(([key, { awayMs }]) => (awayMs === undefined ? [] : [[key, awayMs] as [string, number]]));
  }

  /** Logs in and makes the room, again and again until it works; then keeps the token fresh. */
  start(): void {
    void this.#logIn();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#renewal);
    for (const key of [...this.#members.keys()]) this.drop(key);
  }

  add(key: string, url: string): void {
    const member: Member = { url, socket: undefined, server: '', awayMs: this.#options.now() };
    this.#members.set(key, member);
    this.#open(key, member);
  }

  drop(key: string): void {
    const member = this.#members.get(key);
    this.#members.delete(key);
    clearTimeout(member?.retry);
    member?.socket?.close();
    this.ledger.forget(key);
  }

  /** One numbered message by the next socket, and those again whose ack is late. */
  send(): void {
    const nowMs = this.#options.now();
    const open = [...this.#members.values()].flatMap(({ socket }) => (socket?.open ? [socket] : []));
    if (open.length === 0) return;
    const next = () => open[this.#turn++ % open.length] as CanarySocket;
    const give = (id: string) => next().send({ room_id: this.#roomId, content: `canary ${id}`, client_msg_id: id });
    for (const [id, tried] of this.#unacked)
      if (nowMs - tried.triedMs > RESEND_MS) {
        tried.triedMs = nowMs;
        give(id);
      }
    if (this.#unacked.size >= UNACKED_MAX) return;
    const id = `${this.#options.run}-${++this.#number}`;
    this.#unacked.set(id, { sentMs: nowMs, triedMs: nowMs });
    this.#sent.set(id, nowMs);
    if (this.#sent.size > IDS_MAX) this.#sent.delete(this.#sent.keys().next().value ?? '');
    give(id);
  }

  async #logIn(): Promise<void> {
    const { account, log } = this.#options;
    let againMs = AGAIN_MS;
    try {
      const { token, expires_in } = await logIn(account);
      this.#token = token;
      if (this.#roomId === '') this.#roomId = await freshRoom(account, token);
      this.obstacle = undefined;
      againMs = expires_in * 1000 * RENEW_AT;
      for (const [key, member] of this.#members) {
        if (member.socket) member.socket.renewToken();
        else this.#open(key, member);
      }
    } catch (error) {
      if (this.obstacle !== messageOf(error)) log.warn({ reason: messageOf(error) }, 'the canary cannot log in; it tries again');
      this.obstacle = messageOf(error);
    }
    if (!this.#closed) this.#renewal = setTimeout(() => void this.#logIn(), againMs);
  }

  #open(key: string, member: Member): void {
    const { log, now, onAck, onArrival } = this.#options;
    const roomId = this.#roomId;
    if (roomId === '' || this.#closed || this.#members.get(key) !== member) return;
    member.socket = new CanarySocket(member.url, {
      place: () => ({ roomId, afterSeq: this.ledger.lastOf(key) }),
      token: () => this.#token,
      joined: ({ seq, recovered }, server) => {
        this.ledger.joined(key, { seq, recovered, atMs: now() });
        Object.assign(member, { server, awayMs: undefined });
      },
      message: ({ seq, client_msg_id: id }) => {
        const sentMs = id === undefined ? undefined : this.#sent.get(id);
        if (sentMs !== undefined && seq > (this.ledger.lastOf(key) ?? seq)) onArrival(now() - sentMs);
        const before = { ...this.ledger.counts };
        const what = this.ledger.received(key, { seq, id });
        if (JSON.stringify(before) !== JSON.stringify(this.ledger.counts))
          log.error({ socket: key, server: member.server, room: roomId, seq, id, last: this.ledger.lastOf(key) }, 'a promise was broken');
        return what;
      },
      acked: ({ client_msg_id: id, seq }) => {
        if (id === undefined) return;
        this.#unacked.delete(id);
        this.ledger.acked(id, seq, now());
        onAck();
      },
      away: (asked, reason) => {
        this.ledger.left(key);
        member.socket = undefined;
        if (this.#members.get(key) !== member) return;
        member.awayMs ??= now();
        if (!asked) log.info({ socket: key, server: member.server, reason }, 'a socket ended; it comes back');
        member.retry = setTimeout(() => this.#open(key, member), asked ? 0 : RETRY_MS);
      },
    });
  }
}

const IDS_MAX = 1000;

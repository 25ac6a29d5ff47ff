// A socket and the client behind it, which judges every frame at once: replay and live frames are dense, and nothing comes to whom it
// does not belong.
import assert from 'node:assert/strict';
import type { Session } from '../../../services/chat/src/sockets/session.ts';
import { ROOM, type RoomWorld } from './room-world.ts';

interface Frame {
  type: string;
  seq: number;
  from: number;
  to: number;
  recovered: boolean;
  code: string;
  content: string;
}

export class ModelSocket {
  readonly session: Session;
  readonly userId: number;
  /** seq of the newest frame, as the client knows it */
  last = 0;
  /** `asked`: no answer yet · `in`: entries must come · `out`: none may come */
  state: 'out' | 'asked' | 'in' = 'out';
  /** refusals of joins at a time when the user was a member from the request to the answer */
  wronglyRefused = 0;
  joins = 0;
  readonly #world: RoomWorld;
  #subscribed = false;
  #asked: { afterSeq: number | undefined; head: number } = { afterSeq: undefined, head: 0 };
  /** what has come of the join that is asked for */
  #pending: Frame[] = [];
  #buffered = 0;

  constructor(session: Session, userId: number, world: RoomWorld) {
    this.session = session;
    this.userId = userId;
    this.#world = world;
    session.attach(this as unknown as Parameters<Session['attach']>[0]);
  }

  /** `undefined`: live from now; otherwise so many entries before what the client has, or after it. */
  join(offset: number | undefined): void {
    const afterSeq = offset === undefined ? undefined : Math.max(0, this.last + offset);
    this.#asked = { afterSeq, head: this.#world.log.length };
    this.#pending = [];
    this.state = 'asked';
    this.#world.join(this, afterSeq);
  }

  leave(): void {
    this.state = 'out';
    this.#world.leave(this);
  }

  // What the code under test does with a socket.
  cork(run: () => void): void {
    run();
  }
  send(frame: Buffer | string): void {
    // Only long answers look at the buffer; it empties at some time.
    if (this.session.paged && this.#buffered === 0) this.#world.drainLater(() => this.#drain());
    if (this.session.paged) this.#buffered += frame.length;
    this.#receive(JSON.parse(frame.toString()) as Frame);
  }
  getBufferedAmount(): number {
    return this.#buffered;
  }
  subscribe(): void {
    this.#subscribed = true;
  }
  unsubscribe(): void {
    this.#subscribed = false;
  }
  published(roomId: string, frame: Buffer): void {
    if (this.#subscribed && roomId === ROOM) this.send(frame);
  }

  #drain(): void {
    this.#buffered = 0;
    if (this.session.state === 'open') this.session.goOn();
  }

  /** A wrong frame must not stop the code that has sent it. */
  #receive(frame: Frame): void {
    try {
      this.#judge(frame);
    } catch (error) {
      this.#world.problems.push(error as Error);
    }
  }

  #judge(frame: Frame): void {
    if (frame.type === 'joined') this.#joined(this.#pending.splice(0), frame);
    else if (frame.type === 'left') this.state = 'out';
    else if (frame.type === 'error') this.#refused(frame);
    else if (frame.type === 'gap') this.#replayed(frame);
    else if (frame.type === 'message' && this.state === 'in') this.#live(frame);
    else if (frame.type === 'message') this.#replayed(frame);
  }

  #replayed(frame: Frame): void {
    assert.equal(this.state, 'asked', `${frame.type} ${frame.seq} came to a socket that is ${this.state}`);
    // As far as it is known here; the newest entry was let through before.
    const known = this.#world.rooms.get(ROOM)?.last ?? 0;
    assert.ok(this.#world.isMemberAt(this.userId, known), `${frame.type} ${frame.seq} came to a user who is no member any more`);
    this.#pending.push(frame);
  }

  #joined(frames: readonly Frame[], { seq: head, recovered }: Frame): void {
    const { afterSeq, head: headBefore } = this.#asked;
    assert.equal(this.state, 'asked', 'a join is answered once, and only while it is wanted');
    assert.ok(head >= headBefore, `joined at ${head}, and ${headBefore} was committed before the request`);
    assert.ok(head <= this.#world.log.length);
    assert.ok(this.#world.isMemberAt(this.userId, head), `joined at ${head} without being a member`);
    assert.equal(recovered, afterSeq === undefined || afterSeq <= head);
    const gap = frames.find(({ type }) => type === 'gap');
    const replay = frames.filter(({ type }) => type === 'message');
    const from = afterSeq === undefined || !recovered ? head + 1 : gap ? gap.to + 1 : afterSeq + 1;
    // What came while the database answered is sent on top of the newest 500.
    if (gap) assert.ok(gap.from === (afterSeq ?? 0) + 1 && replay.length >= 500);
    assert.deepEqual(
      replay.map(({ seq }) => seq),
      Array.from({ length: head - from + 1 }, (_, index) => from + index),
    );
    for (const frame of replay) this.#right(frame);
    this.last = head;
    this.state = 'in';
    this.joins++;
  }

  #live(frame: Frame): void {
    assert.equal(this.state, 'in', `${frame.seq} came to a socket that is ${this.state}`);
    assert.equal(frame.seq, this.last + 1);
    assert.ok(this.#world.isMemberAt(this.userId, frame.seq), `${frame.seq} came to a user who is no member there`);
    this.#right(frame);
    this.last = frame.seq;
  }

  #right({ seq, content }: Frame): void {
    assert.equal(content, this.#world.log[seq - 1]?.content);
  }

  #refused({ code }: Frame): void {
    // The failure of a join that a later one has replaced: the later one is still to be answered.
    if (code === 'unavailable' && this.session.room(ROOM)) return;
    const { head } = this.#asked;
    const always = Array.from({ length: this.#world.log.length - head + 1 }, (_, index) => head + index);
    if (code === 'not_a_member' && always.every((seq) => this.#world.isMemberAt(this.userId, seq))) this.wronglyRefused++;
    this.state = 'out';
  }
}

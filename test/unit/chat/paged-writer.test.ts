// Long answers of one socket: never more unsent than the bound, every answer in its order, fair shares, and an end in the turn of the last frame.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { PagedWriter, type NextFrame, type PagedAnswer } from '../../../services/chat/src/domain/paged-writer.ts';

const LIMITS = { bufferedMax: 1000, turnMax: 5000 };

/** An answer of frames with these sizes; the byte of its frames is its number. */
class Answer implements PagedAnswer {
  readonly outcome: string[] = [];
  wanted = true;
  readable = true;
  readonly #sizes: number[];
  readonly #name: number;
  constructor(name: number, sizes: readonly number[]) {
    this.#name = name;
    this.#sizes = [...sizes];
  }
  get left(): number {
    return this.#sizes.length;
  }
  next(): NextFrame {
    if (!this.wanted) return 'unwanted';
    const size = this.#sizes[0];
    if (size === undefined) return 'ended';
    return this.readable ? Buffer.alloc(size, this.#name) : 'waiting';
  }
  sent(): void {
    this.#sizes.shift();
  }
  end(): void {
    this.outcome.push('end');
  }
  drop(): void {
    this.outcome.push('drop');
  }
}

class Sink {
  unsent = 0;
  most = 0;
  readonly frames: Buffer[] = [];
  buffered(): number {
    return this.unsent;
  }
  send(frame: Buffer): void {
    this.frames.push(frame);
    this.unsent += frame.length;
    this.most = Math.max(this.most, this.unsent);
  }
  bytesOf(name: number): number {
    return this.frames.reduce((sum, frame) => sum + (frame[0] === name ? frame.length : 0), 0);
  }
}

describe('paged writer', () => {
  test('whatever the sizes and the pace of the reader: all of it, in order, within the bound, each with one end', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(sizes, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(1500)), (all, drains) => {
        const writer = new PagedWriter(LIMITS);
        const sink = new Sink();
        const answers = all.map((each, index) => new Answer(index, each));
        for (const answer of answers) writer.add(answer);
        for (let turn = 0; !writer.done; turn++) {
          assert.ok(turn < 1000, 'it ends');
          const state = writer.write(sink);
          assert.equal(writer.blocked, state === 'full');
          sink.unsent = Math.max(0, sink.unsent - (drains[turn] ?? 1500));
        }
        assert.ok(sink.most <= LIMITS.bufferedMax, `${sink.most} bytes`);
        all.forEach((each, index) => {
          const got = sink.frames.filter((frame) => frame[0] === index).map((frame) => frame.length);
          assert.deepEqual(got, each);
          assert.deepEqual(answers[index]?.outcome, ['end']);
        });
        assert.equal(
          writer.written,
          all.flat().reduce((sum, size) => sum + size, 0),
        );
      }),
    );
  });

  test('a frame above the bound goes alone into an empty buffer', () => {
    const writer = new PagedWriter(LIMITS);
    const sink = new Sink();
    writer.add(new Answer(1, [3000, 10]));
    assert.equal(writer.write(sink), 'full');
    assert.equal(sink.frames.length, 1);
    sink.unsent = 0;
    assert.equal(writer.write(sink), 'idle');
    assert.equal(sink.frames.length, 2);
  });

  test('a turn ends at its bound although the reader takes everything', () => {
    const writer = new PagedWriter(LIMITS);
    const sink = { buffered: () => 0, send: () => {} };
    const answer = new Answer(
      1,
      Array.from({ length: 30 }, () => 500),
    );
    writer.add(answer);
    assert.equal(writer.write(sink), 'more');
    assert.equal(answer.left, 20);
  });

  test('rooms share by bytes: short messages are not behind long ones', () => {
    const writer = new PagedWriter({ bufferedMax: 50_000, turnMax: 1e9 });
    const sink = new Sink();
    const long = new Answer(
      1,
      Array.from({ length: 500 }, () => 48_000),
    );
    const short = new Answer(
      2,
      Array.from({ length: 500 }, () => 440),
    );
    writer.add(long);
    writer.add(short);
    for (let turn = 0; short.outcome.length === 0; turn++) {
      assert.ok(turn < 1000);
      writer.write(sink);
      sink.unsent = 0;
    }
    // 220 kB of each, and a frame.
    assert.ok(sink.bytesOf(1) <= 220_000 + 2 * 48_000, `${sink.bytesOf(1)} bytes of the long one`);
    assert.ok(sink.bytesOf(1) >= 220_000 - 2 * 48_000, 'and the long one has its share');
  });

  test('who waits for a read holds nobody up, and goes on when woken', () => {
    const writer = new PagedWriter(LIMITS);
    const sink = new Sink();
    const [waits, goes] = [new Answer(1, [10, 10]), new Answer(2, [10, 10])];
    waits.readable = false;
    writer.add(waits);
    writer.add(goes);
    assert.equal(writer.write(sink), 'idle');
    assert.deepEqual([goes.outcome, waits.outcome, writer.done, writer.blocked], [['end'], [], false, false]);
    waits.readable = true;
    writer.write(sink);
    assert.deepEqual([waits.outcome, writer.done], [['end'], true]);
  });

  test('what is not wanted any more is forgotten without an end; a socket that is gone drops the rest', () => {
    const writer = new PagedWriter(LIMITS);
    const sink = new Sink();
    const [left, stays] = [new Answer(1, [900, 900]), new Answer(2, [900])];
    writer.add(left);
    writer.add(stays);
    writer.write(sink);
    left.wanted = false;
    writer.write(sink);
    assert.deepEqual([left.outcome, sink.bytesOf(1)], [[], 900]);
    writer.drop();
    assert.deepEqual([left.outcome, stays.outcome, writer.done], [[], ['drop'], true]);
  });
});

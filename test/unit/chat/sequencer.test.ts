// The sequencer against its definition: whatever arrives, in whatever order and however often, leaves once, in order, without a hole.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { Sequencer } from '../../../services/chat/src/domain/sequencer.ts';

const frame = (seq: number) => Buffer.from(String(seq));
const arrival = (first: number, count: number) => ({ first, frames: Array.from({ length: count }, (_, index) => frame(first + index)) });
const texts = (frames: readonly Buffer[]) => frames.map(String);

describe('sequencer', () => {
  test('lets the next frames through', () => {
    const sequencer = new Sequencer();
    assert.deepEqual(sequencer.start(7), []);
    assert.deepEqual(texts(sequencer.accept(arrival(8, 2))), ['8', '9']);
    assert.equal(sequencer.last, 9);
  });

  test('drops what was delivered and cuts what overlaps', () => {
    const sequencer = new Sequencer();
    sequencer.start(5);
    assert.deepEqual(sequencer.accept(arrival(3, 3)), []);
    assert.deepEqual(texts(sequencer.accept(arrival(4, 4))), ['6', '7']);
  });

  test('holds what is ahead until the missing part arrives', () => {
    const sequencer = new Sequencer();
    sequencer.start(0);
    assert.deepEqual(sequencer.accept(arrival(3, 1)), []);
    assert.equal(sequencer.waiting, true);
    assert.deepEqual(texts(sequencer.accept(arrival(1, 2))), ['1', '2', '3']);
    assert.equal(sequencer.waiting, false);
  });

  test('keeps what arrives before the head is known', () => {
    const sequencer = new Sequencer();
    assert.deepEqual(sequencer.accept(arrival(11, 2)), []);
    assert.deepEqual(texts(sequencer.start(11)), ['12']);
  });

  test('256 arrivals may wait, the ones that are needed first: of one more the newest is forgotten', () => {
    const sequencer = new Sequencer();
    sequencer.start(0);
    for (let seq = 2; seq <= 257; seq++) sequencer.accept(arrival(seq, 1));
    const full = new Sequencer();
    full.start(0);
    for (let seq = 2; seq <= 258; seq++) full.accept(arrival(seq, 1));
    assert.equal(sequencer.accept(arrival(1, 1)).length, 257, 'all that waited');
    assert.equal(full.accept(arrival(1, 1)).length, 257, 'all but the newest');
    assert.deepEqual([full.last, full.waiting], [257, false]);
  });

  test('any arrivals in any order: each frame once, in order, and all of them when nothing is missing', () => {
    const history = fc.record({
      head: fc.nat(20),
      sizes: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }),
      repeats: fc.array(fc.nat(29), { maxLength: 30 }),
      shuffle: fc.infiniteStream(fc.nat(1000)),
      startAt: fc.nat(30),
    });
    fc.assert(
      fc.property(history, ({ head, sizes, repeats, shuffle, startAt }) => {
        let next = head + 1;
        const arrivals = sizes.map((size) => {
          const one = arrival(next, size);
          next += size;
          return one;
        });
        const all = [...arrivals, ...repeats.flatMap((index) => arrivals[index] ?? [])]
          .map((one) => ({ one, key: shuffle.next().value as number }))
          .sort((a, b) => a.key - b.key);
        const sequencer = new Sequencer();
        const out: Buffer[] = [];
        all.forEach(({ one }, index) => {
          if (index === startAt) out.push(...sequencer.start(head));
          out.push(...sequencer.accept(one));
        });
        if (startAt >= all.length) out.push(...sequencer.start(head));
        assert.deepEqual(
          texts(out),
          Array.from({ length: next - 1 - head }, (_, index) => String(head + 1 + index)),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

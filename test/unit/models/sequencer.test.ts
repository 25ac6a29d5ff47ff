// The sequencer and the ring against models: arrivals doubled, late, overlapping and lost, repaired by reads of the log.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { Ring } from '../../../services/chat/src/domain/ring.ts';
import { Sequencer } from '../../../services/chat/src/domain/sequencer.ts';

const frame = (seq: number) => Buffer.from(`entry ${seq}`);
const frames = (first: number, count: number) => Array.from({ length: Math.max(0, count) }, (_, index) => frame(first + index));
const texts = (list: readonly Buffer[]) => list.map(String);

/** What happens to one room on one replica; positions are relative to what is committed, so that every value means something. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      count: fc.integer({ min: 1, max: 8 }),
      lost: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('arrive' as const), which: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('arrive again' as const), which: fc.nat(1000), cut: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('start' as const), behind: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repair' as const), limit: fc.integer({ min: 1, max: 20 }), behind: fc.nat(5) }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class RoomModel {
  readonly sequencer = new Sequencer();
  readonly out: Buffer[] = [];
  startedAt: number | undefined;
  head: number;
  readonly #onTheWay: { first: number; count: number }[] = [];
  readonly #arrived: { first: number; count: number }[] = [];

  constructor(head: number) {
    this.head = head;
  }

  take(step: Step): void {
    switch (step.do) {
      case 'commit': {
        const arrival = { first: this.head + 1, count: step.count };
        this.head += step.count;
        if (step.lost > 0) this.#onTheWay.push(arrival);
        return;
      }
      case 'arrive': {
        const [arrival] = this.#onTheWay.splice(step.which % Math.max(1, this.#onTheWay.length), 1);
        if (arrival) this.#accept(arrival);
        return;
      }
      case 'arrive again': {
        const arrival = this.#arrived[step.which % Math.max(1, this.#arrived.length)];
        // A repeat may be a part of it only: a read of the log is cut anywhere.
        if (arrival) this.#accept({ first: arrival.first, count: Math.max(1, arrival.count - step.cut) });
        return;
      }
      case 'start':
        if (this.startedAt !== undefined) return;
        this.startedAt = Math.max(0, this.head - step.behind);
        this.out.push(...this.sequencer.start(this.startedAt));
        return;
      case 'repair':
        this.#read(step.limit, step.behind);
    }
  }

  /** Reads until nothing is missing, as the comparison of heads does. */
  repairAll(): void {
    this.take({ do: 'start', behind: 0 });
    for (let reads = 0; this.sequencer.last < this.head; reads++) {
      assert.ok(reads <= this.head, 'a read always brings it further');
      this.#read(20, 0);
    }
  }

  #read(limit: number, behind: number): void {
    if (this.startedAt === undefined) return;
    const first = this.sequencer.last + 1;
    this.#accept({ first, count: Math.min(limit, this.head - behind - first + 1) });
  }

  #accept(arrival: { first: number; count: number }): void {
    if (arrival.count < 1) return;
    this.#arrived.push(arrival);
    this.out.push(...this.sequencer.accept({ first: arrival.first, frames: frames(arrival.first, arrival.count) }));
  }
}

function check(room: RoomModel): void {
  if (room.startedAt === undefined) return assert.deepEqual(room.out, []);
  const { last } = room.sequencer;
  assert.ok(last <= room.head);
  assert.deepEqual(texts(room.out), texts(frames(room.startedAt + 1, last - room.startedAt)));
}

describe('sequencer against a model', () => {
  test('at every moment the output is a dense piece of the log; after repair it is all of it', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.array(step, { maxLength: 60 }), (head, steps) => {
        const room = new RoomModel(head);
        for (const one of steps) {
          room.take(one);
          check(room);
        }
        room.repairAll();
        check(room);
        assert.equal(room.sequencer.last, room.head);
        assert.equal(room.sequencer.waiting, false);
      }),
      { numRuns: 5000 },
    );
  });

  test('more holes than it remembers: what it forgot is read again, nothing comes twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 250, max: 600 }), fc.infiniteStream(fc.nat(1_000_000)), (count, shuffle) => {
        const room = new RoomModel(0);
        room.take({ do: 'start', behind: 0 });
        for (let index = 0; index < count; index++) room.take({ do: 'commit', count: 1, lost: index === 0 ? 0 : 1 });
        for (let index = 0; index < count; index++) room.take({ do: 'arrive', which: shuffle.next().value as number });
        assert.deepEqual(room.out, []);
        room.repairAll();
        check(room);
      }),
      { numRuns: 100 },
    );
  });
});

describe('ring against a model', () => {
  const push = fc.record({
    jump: fc.constantFrom(0, 0, 0, 0, 1, 7, -3),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 }),
  });

  test('frames and bytes are bounded, what it holds is gapless and the newest', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 200 }),
        fc.array(push, { maxLength: 20 }),
        (count, bytes, pushes) => {
          const ring = new Ring({ frames: count, bytes });
          let model: { seq: number; frame: Buffer }[] = [];
          let last = 0;
          for (const { jump, sizes } of pushes) {
            const first = Math.max(1, last + 1 + jump);
            const added = sizes.map((size, index) => ({ seq: first + index, frame: Buffer.alloc(size, `${first + index} `) }));
            if (first !== last + 1) model = [];
            model.push(...added);
            last = first + sizes.length - 1;
            const size = () => model.reduce((sum, { frame: each }) => sum + each.length, 0);
            while (model.length > count || (size() > bytes && model.length > 1)) model.shift();
            ring.push(
              added.map(({ frame: each }) => each),
              last,
            );
            for (let from = Math.max(1, last - 15); from <= last + 2; from++) {
              assert.deepEqual(ring.at(from), model.find(({ seq }) => seq === from)?.frame);
              assert.equal(ring.oldest, model[0]?.seq ?? last + 1);
            }
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

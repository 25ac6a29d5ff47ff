// Ring, replay, strikes and drain: pure decisions of the chat service.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { DrainPace } from '../../../services/chat/src/domain/drain.ts';
import { planReplay } from '../../../services/chat/src/domain/replay.ts';
import { Ring } from '../../../services/chat/src/domain/ring.ts';
import { strike } from '../../../services/chat/src/domain/strikes.ts';

describe('ring', () => {
  test('answers exactly what it still holds, whatever is pushed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 1, max: 5 })), fc.nat(60), (capacity, sizes, from) => {
        const ring = new Ring({ frames: capacity, bytes: 1_000_000 });
        let last = 10;
        ring.push([], last);
        for (const size of sizes) {
          last += size;
          ring.push(
            Array.from({ length: size }, (_, index) => Buffer.from(String(last - size + 1 + index))),
            last,
          );
        }
        const oldest = Math.max(11, last - capacity + 1);
        assert.equal(ring.oldest, oldest);
        const frame = ring.at(from);
        assert.equal(frame && Number(frame), from > last || from < oldest ? undefined : from);
      }),
    );
  });

  test('forgets everything after a jump, so that what it holds is gapless', () => {
    const ring = new Ring({ frames: 10, bytes: 1_000_000 });
    ring.push([Buffer.from('1')], 1);
    ring.push([Buffer.from('5')], 5);
    assert.deepEqual([ring.at(1), ring.oldest, ring.at(5)?.toString()], [undefined, 5, '5']);
  });
});

describe('replay', () => {
  const room = { head: 1000, epoch: 'e1' };
  test('without a position: live from now', () => {
    assert.deepEqual(planReplay({ afterSeq: undefined, epoch: undefined }, room, 500), {
      recovered: true,
      from: undefined,
      gap: undefined,
    });
  });
  test('a little behind: everything', () => {
    assert.deepEqual(planReplay({ afterSeq: 990, epoch: 'e1' }, room, 500), { recovered: true, from: 991, gap: undefined });
  });
  test('far behind: the newest part, and the gap by name', () => {
    assert.deepEqual(planReplay({ afterSeq: 100, epoch: undefined }, room, 500), {
      recovered: true,
      from: 501,
      gap: { from: 101, to: 500 },
    });
  });
  test('another lineage or a position of the future: not recovered', () => {
    assert.equal(planReplay({ afterSeq: 10, epoch: 'e0' }, room, 500).recovered, false);
    assert.equal(planReplay({ afterSeq: 1001, epoch: 'e1' }, room, 500).recovered, false);
  });
});

describe('strikes', () => {
  test('count within a minute and start over after it', () => {
    const first = strike(undefined, 0);
    const second = strike(first, 59_999);
    assert.deepEqual([first.count, second.count, strike(second, 60_000).count], [1, 2, 1]);
  });
});

describe('drain', () => {
  test('every socket is told within the window, whatever the rate', () => {
    fc.assert(
      fc.property(
        fc.nat(20_000),
        fc.integer({ min: 100, max: 120_000 }),
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        (sockets, windowMs, rate) => {
          const pace = new DrainPace(sockets, { drainWindowMs: windowMs, drainRatePercentPerSecond: rate });
          let told = 0;
          for (let steps = Math.ceil(windowMs / 100); steps > 0; steps--) told += pace.next();
          assert.ok(told >= sockets);
        },
      ),
    );
  });
  test('keeps the rate for few sockets, too, and tells at least one a second', () => {
    const told = (sockets: number, ratePercentPerSecond: number, seconds: number) => {
      const pace = new DrainPace(sockets, { drainWindowMs: 600_000, drainRatePercentPerSecond: ratePercentPerSecond });
      return Array.from({ length: seconds * 10 }, () => pace.next()).reduce((sum, each) => sum + each, 0);
    };
    // The first step tells one more.
    assert.ok(Math.abs(told(103, 5, 10) - 52.5) <= 1.5);
    assert.ok(Math.abs(told(251, 5, 10) - 126.5) <= 1.5);
    assert.ok(Math.abs(told(3, 5, 3) - 4) <= 1);
  });
});

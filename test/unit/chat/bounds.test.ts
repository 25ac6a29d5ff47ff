// Each bound of the chat replica that memory rests on: filled to its last place, and one more. The numbers are written out here, so that
// a changed bound is seen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RoomUpdates, type Membership, type ReadMark } from '@parley/chat-store';
import type { Decision } from '@parley/kit/rate-limit';
import { createLog } from '@parley/kit/process';
import { Sequencer } from '../../../services/chat/src/domain/sequencer.ts';
import { RateBudgets, type Verdict } from '../../../services/chat/src/limits/rate-budgets.ts';
import { Announcements, type DueCount } from '../../../services/chat/src/presence/announcements.ts';
import { News, type Change } from '../../../services/chat/src/presence/news.ts';
import { RoomPresence } from '../../../services/chat/src/presence/room-presence.ts';
import { MembershipLoader } from '../../../services/chat/src/rooms/membership-loader.ts';
import { ReadMarks, type MarkOutcome } from '../../../services/chat/src/rooms/read-marks.ts';

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);
const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('frames that wait for a missing one: 256', () => {
  const arrival = (seq: number) => ({ first: seq, frames: [Buffer.from(String(seq))] });

  test('one more: the newest is let go, so that all that is held can still be delivered', () => {
    const sequencer = new Sequencer();
    sequencer.start(1);
    for (const seq of numbers(257, 3)) assert.deepEqual(sequencer.accept(arrival(seq)), []);
    const delivered = sequencer.accept(arrival(2)).map(String);
    assert.deepEqual(delivered, numbers(257, 2).map(String));
    assert.equal(sequencer.last, 258, '259 was let go and is read from the database');
    assert.equal(sequencer.waiting, false);
  });

  test('one more that is older than all: it takes the place of the newest', () => {
    const sequencer = new Sequencer();
    sequencer.start(1);
    for (const seq of numbers(256, 4)) sequencer.accept(arrival(seq));
    sequencer.accept(arrival(3));
    assert.equal(sequencer.accept(arrival(2)).length, 257);
    assert.equal(sequencer.last, 258);
  });
});

describe('calls of one key that wait for a lease', () => {
  /** A limiter that answers when it is told to. */
  function frozen(burst: number) {
    const answers: ((decision: Decision) => void)[] = [];
    const take = () => new Promise<Decision>((resolve) => answers.push(resolve));
    const budgets = new RateBudgets({ event: 'message', limit: { burst, perSecond: 10 }, limiter: { take }, now: () => 0 });
    return { budgets, answers };
  }
  const spend = (budgets: RateBudgets, calls: number, how: 'spend' | 'pass' = 'spend') => {
    const seen = { ran: 0, refused: [] as number[] };
    const note = (verdict: Verdict) => (verdict === 'go' ? seen.ran++ : seen.refused.push(verdict.retryAfterMs));
    for (let call = 0; call < calls; call++) {
      const verdict = budgets[how]('user');
      if (verdict instanceof Promise) void verdict.then(note);
      else note(verdict);
    }
    return seen;
  };

  test('as many as the burst; one more is refused at once, with the time of one token', () => {
    const { budgets } = frozen(20);
    assert.deepEqual(spend(budgets, 20), { ran: 0, refused: [] });
    assert.deepEqual(spend(budgets, 1), { ran: 0, refused: [100] });
  });

  test('10,000 where the burst is larger', () => {
    const { budgets } = frozen(1_000_000);
    assert.deepEqual(spend(budgets, 10_000), { ran: 0, refused: [] });
    assert.deepEqual(spend(budgets, 1), { ran: 0, refused: [100] });
  });

  test('what is free waits behind them, up to 10,000 in all; one more is refused, too', () => {
    const { budgets } = frozen(20);
    spend(budgets, 20);
    assert.deepEqual(spend(budgets, 9980, 'pass'), { ran: 0, refused: [] });
    assert.deepEqual(spend(budgets, 1, 'pass'), { ran: 0, refused: [100] });
  });

  test('a full queue is served when the lease comes, and takes calls again', async () => {
    const { budgets, answers } = frozen(4);
    const seen = spend(budgets, 4);
    spend(budgets, 1);
    for (let served = 1; served <= 4; served++) {
      answers.shift()?.({ allowed: true, limit: 4, remaining: 4 - served, retryAfterMs: 0, source: 'redis' });
      await turn();
      assert.equal(seen.ran, served);
    }
    assert.deepEqual(spend(budgets, 1).refused, []);
  });
});

describe('read markers that wait: 10,000', () => {
  /** A database that answers a batch when it is told to. */
  function frozen() {
    const batches: { marks: readonly ReadMark[]; answer: () => void }[] = [];
    const write = (marks: readonly ReadMark[]) => new Promise<never[]>((resolve) => batches.push({ marks, answer: () => resolve([]) }));
    return { batches, marks: new ReadMarks({ write, onMoved: () => Promise.resolve(), log }) };
  }
  const mark = (userId: number, seq = 1): ReadMark => ({ roomId: 'room', userId, seq });

  test('one more user is refused; who waits already may move on; a batch has 200', async () => {
    const { batches, marks } = frozen();
    const outcomes: MarkOutcome[] = [];
    const settle = (outcome: MarkOutcome) => void outcomes.push(outcome);
    for (const userId of numbers(10_000)) marks.mark(mark(userId), 'session', settle);
    marks.mark(mark(10_001), 'session', settle);
    assert.deepEqual(outcomes, ['overloaded']);
    marks.mark(mark(10_000, 7), 'session', settle);
    assert.deepEqual(outcomes, ['overloaded'], 'a further position of the same marker takes no place');
    await turn();
    assert.equal(batches[0]?.marks.length, 200);
    marks.mark(mark(10_001), 'session', settle);
    assert.deepEqual(outcomes, ['overloaded'], 'there is room again');
    let written = 0;
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      assert.ok(batch.marks.length <= 200);
      written += batch.marks.length;
      if (batch.marks.some(({ userId }) => userId === 10_000)) assert.equal(batch.marks.find(({ userId }) => userId === 10_000)?.seq, 7);
      batch.answer();
      await turn();
    }
    await marks.close();
    assert.equal(written, 10_001);
    assert.equal(outcomes.length, 10_003, 'everybody is answered');
  });
});

describe('membership look-ups: 500 a read, two reads at once', () => {
  test('one more than two reads hold waits for the first to end', async () => {
    const reads: { size: number; answer: () => void }[] = [];
    const loader = new MembershipLoader({
      memberships: (pairs: readonly unknown[]) =>
        new Promise<(Membership | undefined)[]>((resolve) => {
          reads.push({ size: pairs.length, answer: () => resolve(pairs.map(() => undefined)) });
        }),
    });
    const loads = numbers(1001).map((userId) => loader.load('room', userId));
    await turn();
    assert.deepEqual(
      reads.map(({ size }) => size),
      [500, 500],
    );
    reads[0]?.answer();
    await loads[0];
    await turn();
    assert.deepEqual(
      reads.map(({ size }) => size),
      [500, 500, 1],
    );
    for (const { answer } of reads) answer();
    assert.equal((await Promise.all(loads)).length, 1001);
  });
});

describe('rooms that wait for a count: 5000', () => {
  const due = (announcements: Announcements): DueCount[] => {
    const all: DueCount[] = [];
    for (let some = announcements.takeDue(0); some.length > 0; some = announcements.takeDue(0)) all.push(...some);
    return all;
  };

  test('one more is left out until its next news; newer news of a room that waits is kept', () => {
    const announcements = new Announcements();
    for (const room of numbers(5000)) announcements.waitForCount([`room ${room}`, 1]);
    announcements.waitForCount(['one more', 1]);
    announcements.waitForCount(['room 5000', 2]);
    const all = due(announcements);
    assert.equal(all.length, 5000);
    assert.ok(!all.some(([room]) => room === 'one more'));
    assert.deepEqual(all.at(-1), ['room 5000', 2]);
    announcements.waitForCount(['one more', 3]);
    assert.deepEqual(due(announcements), [['one more', 3]]);
  });
});

describe('users whose coming and going waits: 50,000', () => {
  const online = (userId: number): Change => ({ userId, name: `user ${userId}`, lastSeenMs: undefined });

  test('one more is left out; who waits already is corrected, and makes room', () => {
    const news = new News();
    news.add(numbers(50_000).map(online));
    news.add([online(50_001)]);
    assert.equal(news.size, 50_000);
    news.add([{ ...online(1), lastSeenMs: 1 }]);
    assert.equal(news.size, 49_999, 'came and went: no news');
    news.add([online(50_001)]);
    assert.equal(news.size, 50_000);
    const round = news.take();
    assert.equal(round.length, 2000);
    news.putBack([online(60_000), ...round]);
    assert.equal(news.size, 50_000);
    const left: number[] = [];
    for (let some = news.take(); some.length > 0; some = news.take()) left.push(...some.map(({ userId }) => userId));
    assert.ok(left.includes(50_001) && left.includes(60_000));
    assert.equal(new Set(left).size, 50_000);
  });
});

describe('large rooms whose members are remembered: 200', () => {
  test('one more takes the place of the oldest, which is read again; the others are not', async () => {
    let now = 0;
    const reads: string[] = [];
    const presence = new RoomPresence({
      members: () => Promise.resolve('many'),
      memberIds: (room) => {
        reads.push(room);
        return Promise.resolve([1, 2]);
      },
      online: (userIds) => Promise.resolve(new Set(userIds)),
      now: () => now,
    });
    for (const room of numbers(201)) assert.equal((await presence.of(`room ${room}`)).online_count, 2);
    assert.equal(reads.length, 201);
    // Answers are old now, members are not.
    now = 6000;
    await presence.of('room 2');
    assert.equal(reads.length, 201, 'its members are known');
    await presence.of('room 1');
    assert.deepEqual(reads.slice(201), ['room 1']);
    await presence.of('room 2');
    now = 12_000;
    await presence.of('room 2');
    assert.deepEqual(reads.slice(201), ['room 1', 'room 2'], 'the second oldest made room for the first');
  });
});

describe('room_updated', () => {
  function updates(membersOfRoom: number) {
    const asked: string[][] = [];
    const published: string[] = [];
    const all = new RoomUpdates({
      members: (roomIds) => {
        asked.push([...roomIds]);
        return Promise.resolve(new Map(roomIds.map((room) => [room, numbers(membersOfRoom)])));
      },
      publish: (payload) => published.push(payload.toString()),
      log,
    });
    const grow = (room: number, lastSeq = 1) =>
      all.add({ roomId: `room ${room}`, lastSeq, lastMessageAt: '2026-01-01T00:00:00.000Z', memberVersion: 1 });
    return { all, asked, published, grow, sizes: () => published.map((payload) => payload.split('\n').length) };
  }

  test('20,000 members a tick; the room after that waits for the next one', async () => {
    const { all, grow, sizes } = updates(100);
    for (const room of numbers(201)) grow(room);
    await all.tick();
    await all.tick();
    await all.tick();
    assert.deepEqual(sizes(), [200, 1]);
  });

  test('members of 10,000 rooms are read at once and remembered; one more takes the place of the oldest', async () => {
    const { all, asked, grow, sizes } = updates(1);
    for (const room of numbers(10_001)) grow(room);
    await all.tick();
    await all.tick();
    assert.deepEqual(
      asked.map(({ length }) => length),
      [10_000, 1],
    );
    assert.deepEqual(sizes(), [10_000, 1], 'nothing is lost at the bound');
    grow(2, 2);
    await all.tick();
    assert.equal(asked.length, 2, 'it is remembered');
    grow(1, 2);
    await all.tick();
    assert.deepEqual(asked.at(-1), ['room 1']);
  });
});

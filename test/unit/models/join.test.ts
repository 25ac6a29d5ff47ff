// Join and resume in random interleavings of commits, arrivals, reads that take their time or fail, removals and leaving sockets: what
// a socket sees is dense from its position on, and stops with its membership (spec 02 §2.4, ADR 0006).
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { RoomFeed } from '../../../services/chat/src/rooms/room-feed.ts';
import { nextTurn, runAll } from './interleaving.ts';
import type { ModelSocket } from './model-socket.ts';
import { RoomWorld, ROOM, USERS, type Way } from './room-world.ts';

const SOCKETS = 4;
const socket = fc.nat(SOCKETS - 1);
const way: fc.Arbitrary<Way> = fc.record({
  local: fc.boolean(),
  lost: fc.integer({ min: 0, max: 3 }).map((dice) => dice === 0),
  twice: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
});
const offset = fc.option(fc.constantFrom(0, 0, 0, 0, -1, -5, -150, -1000, 3), { nil: undefined, freq: 5 });
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('commit' as const), count: fc.integer({ min: 1, max: 5 }), way }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('join' as const), socket, offset }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), socket }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reconnect' as const), socket }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('member' as const), user: fc.constantFrom(...USERS), way }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(50, 50, 1000, 5000, 32_000) }) },
);
const script = fc.array(fc.record({ wait: fc.nat(6), action }), { minLength: 1, maxLength: 40 });
const heads = fc.constantFrom(0, 3, 3, 140, 700);
const failures = fc.array(fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0));

type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
};

class Run {
  readonly world: RoomWorld;
  readonly sockets: ModelSocket[];
  readonly #scheduler: fc.Scheduler;
  #now = 0;
  #calm = false;

  constructor(scheduler: fc.Scheduler, { head, fails }: { head: number; fails: readonly boolean[] }) {
    const left = [...fails];
    this.#scheduler = scheduler;
    this.world = new RoomWorld({
      head,
      pause: (label) => scheduler.schedule(Promise.resolve(), label),
      readFails: () => !this.#calm && (left.shift() ?? false),
      clock: () => this.#now,
    });
    // Two users with one device each, and one with two.
    this.sockets = [1, 2, 3, 3].map((user) => this.world.connect(user));
    this.world.rooms.start();
  }

  async play(steps: readonly { wait: number; action: Action }[]): Promise<void> {
    for (const step of steps) {
      for (let turn = 0; turn < step.wait; turn++) {
        await nextTurn();
        if (this.#scheduler.count() > 0) await this.#scheduler.waitOne();
      }
      this.#act(step.action);
    }
    this.#calm = true;
    // Some comparisons of heads: one may fail to be the first after a failed read.
    for (let round = 0; round < 2; round++) {
      await runAll(this.#scheduler);
      this.#pass(5000);
    }
    await runAll(this.#scheduler);
  }

  #act(one: Action): void {
    switch (one.do) {
      case 'commit':
        return this.world.commit(one.count, one.way);
      case 'member':
        return this.world.change(one.user, one.way);
      case 'time':
        return this.#pass(one.ms);
      case 'join':
        return this.sockets[one.socket]?.join(one.offset);
      case 'leave':
        return this.sockets[one.socket]?.leave();
      case 'reconnect': {
        const before = this.sockets[one.socket] as ModelSocket;
        this.world.close(before);
        const now = this.world.connect(before.userId);
        now.last = before.last;
        this.sockets[one.socket] = now;
      }
    }
  }

  #pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      const step = Math.min(left, 1000);
      this.#now += step;
      mock.timers.tick(step);
    }
  }
}

function check({ world, sockets }: Run): void {
  if (world.problems[0]) throw world.problems[0];
  for (const { state, last, userId, wronglyRefused } of sockets) {
    assert.notEqual(state, 'asked', 'every join is answered');
    assert.equal(wronglyRefused, 0, 'no member is refused');
    if (state !== 'in') continue;
    assert.ok(world.members.has(userId), 'who was removed is out');
    assert.equal(last, world.log.length, 'whoever is in has everything in the end');
  }
  const feed = world.rooms.get(ROOM);
  assert.equal(feed?.users ?? 0, sockets.filter(({ state }) => state === 'in').length, 'the feed counts its sockets');
}

describe('join and resume against a model', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
  afterEach(() => mock.timers.reset());

  test('dense from the position on, in whatever order things happen', async () => {
    const run = fc.asyncProperty(fc.scheduler(), script, heads, failures, async (scheduler, steps, head, fails) => {
      const one = new Run(scheduler, { head, fails });
      await one.play(steps);
      check(one);
      one.world.rooms.close();
    });
    await fc.assert(run, { numRuns: 2000 });
  });

  test('a removal and a re-admission that are both still on their way here do not refuse a join', async () => {
    const world = new RoomWorld({ head: 3, pause: () => Promise.resolve(), readFails: () => false, clock: () => 0 });
    const lost: Way = { local: false, lost: true, twice: false };
    const [one, two] = [world.connect(1), world.connect(2)];
    one.join(undefined);
    await settled();
    world.change(2, lost);
    world.change(2, lost);
    two.join(0);
    await settled();
    assert.deepEqual([two.state, two.wronglyRefused, two.last], ['in', 0, 5]);
    world.rooms.close();
  });

  test('a removal before the place where another join has started the room refuses the join that asked before it', async () => {
    const reads: (() => void)[] = [];
    const pause = (label: string) => (label === 'answer' ? new Promise<void>((resolve) => reads.push(resolve)) : Promise.resolve());
    const world = new RoomWorld({ head: 3, pause, readFails: () => false, clock: () => 0 });
    const [one, two] = [world.connect(1), world.connect(2)];
    two.join(0);
    await settled();
    world.change(2, { local: false, lost: true, twice: false });
    one.join(undefined);
    await settled();
    const [older, newer] = reads.splice(0);
    newer?.();
    await settled();
    older?.();
    for (let read = 0; read < 3; read++) {
      await settled();
      for (const answer of reads.splice(0)) answer();
    }
    assert.deepEqual([one.state, two.state, world.problems], ['in', 'out', []]);
    world.rooms.close();
  });

  test('a read that is older than the question does not answer it', async () => {
    const frame = (seq: number) => ({ first: seq, frames: [Buffer.from(String(seq))] });
    const answers: (() => void)[] = [];
    const log = Array.from({ length: 12 }, (_, index) => ({ seq: index + 1, kind: 'message' }));
    const entriesAfter = (_: string, after: number) => {
      const rows = log.slice(after);
      return new Promise((resolve) => answers.push(() => resolve(rows)));
    };
    const audience = { publish: () => {}, beforeSystemEntry: () => {}, afterSystemEntry: () => {} };
    const feed = new RoomFeed({ roomId: ROOM, reader: { entriesAfter }, audience, onRepair: () => {}, now: () => 0 } as never);
    feed.start(10);
    feed.accept(frame(12));
    const repairing = feed.repair();
    feed.accept(frame(11));
    log.push({ seq: 13, kind: 'message' });
    const caughtUp = feed.catchUp(13);
    for (let read = 0; read < 3; read++) {
      answers.shift()?.();
      await nextTurn();
    }
    await Promise.all([repairing, caughtUp]);
    assert.equal(feed.last, 13);
    feed.close();
  });
});

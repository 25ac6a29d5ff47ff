// Reads that many joins share: memberships, older entries, read markers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry } from '@parley/protocol';
import type { MarkResult, Membership, ReadMark } from '@parley/chat-store';
import { createLog } from '@parley/kit/process';
import { eventually } from '../../helpers/eventually.ts';
import { MembershipLoader } from '../../../services/chat/src/rooms/membership-loader.ts';
import { ReadMarks, type MarkOutcome } from '../../../services/chat/src/rooms/read-marks.ts';
import { ReplayReads } from '../../../services/chat/src/rooms/replay-reads.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'error' });
const entry = (seq: number) => ({ room_id: 'r', seq, content: `n${seq}` }) as unknown as Entry;

describe('membership loader', () => {
  test('a thousand joins of one turn are two reads; each gets its own answer', async () => {
    const reads: number[] = [];
    const loader = new MembershipLoader({
      memberships: (pairs) => {
        reads.push(pairs.length);
        return Promise.resolve(pairs.map(({ userId }) => (userId % 2 ? ({ lastSeq: userId } as Membership) : undefined)));
      },
    });
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, userId) => loader.load('r', userId)));
    assert.deepEqual(reads, [500, 500]);
    answers.forEach((answer, userId) => assert.equal(answer?.lastSeq, userId % 2 ? userId : undefined));
  });

  test('a failed read fails those who waited for it, not the next ones', async () => {
    let fail = true;
    const loader = new MembershipLoader({
      memberships: (pairs) => (fail ? Promise.reject(new Error('away')) : Promise.resolve(pairs.map(() => undefined))),
    });
    await assert.rejects(loader.load('r', 1), /away/);
    fail = false;
    assert.equal(await loader.load('r', 1), undefined);
  });

  /** Reads that end when the test says so. */
  const heldReads = () => {
    const fails: (() => void)[] = [];
    const memberships = () => new Promise<never>((_, reject) => fails.push(() => reject(new Error('away'))));
    return { fails, memberships };
  };

  test('who waits behind a read that failed is not made to wait for the next one to fail', async () => {
    const { fails, memberships } = heldReads();
    const loader = new MembershipLoader({ memberships });
    const answers = Array.from({ length: 1500 }, (_, userId) =>
      loader.load('r', userId).then(
        () => 'found',
        () => 'failed',
      ),
    );
    await eventually('both reads are under way', () => fails.length === 2);
    fails[0]?.();
    assert.deepEqual(new Set(await Promise.all([...answers.slice(0, 500), ...answers.slice(1000)])), new Set(['failed']));
    assert.equal(fails.length, 2);
    fails[1]?.();
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['failed']));
  });

  test('filled to the bound, one more is refused at once', async () => {
    const { fails, memberships } = heldReads();
    const loader = new MembershipLoader({ memberships }, { waitingMax: 10 });
    const under = [loader.load('r', 1)];
    await eventually('a read is under way', () => fails.length === 1);
    under.push(loader.load('r', 2));
    await eventually('a second read is under way', () => fails.length === 2);
    const waiting = Array.from({ length: 10 }, (_, userId) => loader.load('r', userId + 3));
    await assert.rejects(loader.load('r', 99), { code: 'overloaded' });
    fails.forEach((fail) => fail());
    const outcomes = await Promise.allSettled([...under, ...waiting]);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && (outcome.reason as Error).message === 'away'));
  });
});

describe('replay reads', () => {
  const setUp = (head: number, ringFrom: number) => {
    const reads: number[] = [];
    let now = 0;
    const replays = new ReplayReads({
      read: (afterSeq) => {
        reads.push(afterSeq);
        return Promise.resolve(Array.from({ length: Math.min(100, head - afterSeq) }, (_, index) => entry(afterSeq + 1 + index)));
      },
      covered: (seq) => seq >= ringFrom,
      now: () => now,
    });
    return { replays, reads, advance: (ms: number) => (now += ms) };
  };
  const seqs = (frames: readonly Buffer[]) => frames.map((frame) => (JSON.parse(frame.toString()) as { seq: number }).seq);

  test('askers of one turn share one read from the oldest position', async () => {
    const { replays, reads } = setUp(150, 121);
    const [late, early, none] = await Promise.all([replays.from(100), replays.from(60), replays.from(130)]);
    assert.deepEqual(reads, [59]);
    assert.deepEqual([seqs(early as Buffer[])[0], seqs(late as Buffer[])[0], none?.length], [60, 100, 0]);
  });

  test('a later asker gets what was read; after some seconds it is read again', async () => {
    const { replays, reads, advance } = setUp(150, 121);
    await replays.from(60);
    await replays.from(80);
    assert.equal(reads.length, 1);
    advance(5000);
    replays.forget();
    await replays.from(80);
    assert.deepEqual(reads, [59, 79]);
  });

  test('a database that has lost its end is an error, not an endless loop', async () => {
    const { replays } = setUp(50, 1000);
    await assert.rejects(replays.from(40), /no entry from 51/);
  });
});

describe('read marks', () => {
  const setUp = () => {
    const writes: (readonly ReadMark[])[] = [];
    const moved: (MarkResult & { session: string })[] = [];
    const marks = new ReadMarks({
      write: (batch) => {
        writes.push(batch);
        return Promise.resolve(
          batch
            .filter((mark) => mark.userId !== 9)
            .map(({ roomId, userId, seq }) => ({ roomId, userId, lastReadSeq: seq, unreadCount: 0, moved: seq > 1 })),
        );
      },
      onMoved: (results) => {
        moved.push(...results);
        return Promise.resolve();
      },
      log,
    });
    const outcomes: MarkOutcome[] = [];
    const mark = (userId: number, seq: number, session = 's') =>
      marks.mark({ roomId: 'r', userId, seq }, session, (outcome) => outcomes.push(outcome));
    return { marks, mark, writes, moved, outcomes };
  };

  test('of many moves of one user only the furthest is written, and all are answered', async () => {
    const { marks, mark, writes, moved, outcomes } = setUp();
    mark(1, 5, 'a');
    mark(1, 9, 'b');
    mark(1, 7, 'c');
    mark(2, 3);
    await marks.close();
    assert.deepEqual(
      writes[0]?.map(({ userId, seq }) => [userId, seq]),
      [
        [1, 9],
        [2, 3],
      ],
    );
    assert.equal(moved.find((result) => result.userId === 1)?.session, 'b');
    assert.deepEqual(outcomes, ['done', 'done', 'done', 'done']);
  });

  test('a marker that was further already is no news; a stranger is told', async () => {
    const { marks, mark, moved, outcomes } = setUp();
    mark(1, 1);
    mark(9, 4);
    await marks.close();
    assert.deepEqual([moved, outcomes], [[], ['done', 'not_a_member']]);
  });
});

// Reads that many joins share: memberships, older entries, read markers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry } from '@parley/protocol';
import type { MarkResult, Membership, ReadMark } from '@parley/chat-store';
import { createLog } from '@parley/kit/process';
import { eventually } from '../../helpers/eventually.ts';
import { MembershipLoader } from '../../../services/chat/src/rooms/membership-loader.ts';
import { ReadMarks, type MarkOutcome } from '../../../services/chat/src/rooms/read-marks.ts';
import { ReplayPages } from '../../../services/chat/src/rooms/replay-pages.ts';

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

describe('replay pages', () => {
  const setUp = (head: number, { contentBytes = 10, pagesMaxBytes = 1_000_000 } = {}) => {
    const reads: { room: string; after: number; limit: number }[] = [];
    let now = 0;
    let open = 0;
    let openMax = 0;
    const content = 'x'.repeat(contentBytes);
    const pages = new ReplayPages({
      read: async (room, after, limit) => {
        reads.push({ room, after, limit });
        openMax = Math.max(openMax, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        return Array.from({ length: Math.max(0, Math.min(limit, head - after)) }, (_, index) => ({ ...entry(after + 1 + index), content }));
      },
      now: () => now,
      pagesMaxBytes,
    });
    return { pages, reads, advance: (ms: number) => (now += ms), openMax: () => openMax };
  };
  const seqAt = (pages: ReplayPages, room: string, seq: number) => {
    const frame = pages.at(room, seq);
    return frame && (JSON.parse(frame.toString()) as { seq: number }).seq;
  };

  test('askers from places near to each other share one read', async () => {
    const { pages, reads } = setUp(500);
    await Promise.all([pages.load('r', 60, 500), pages.load('r', 40, 500), pages.load('r', 90, 500)]);
    assert.deepEqual(reads, [{ room: 'r', after: 32, limit: 64 }]);
    assert.deepEqual(
      [seqAt(pages, 'r', 32), seqAt(pages, 'r', 33), seqAt(pages, 'r', 96), seqAt(pages, 'r', 97)],
      [undefined, 33, 96, undefined],
    );
  });

  test('what memory has already is not read, and pages of short entries grow', async () => {
    const { pages, reads } = setUp(5000);
    await pages.load('r', 1, 10);
    await pages.load('r', 33, 5000);
    assert.deepEqual(
      reads.map(({ limit }) => limit),
      [10, 512],
    );
  });

  test('pages of long entries stay small', async () => {
    const { pages, reads } = setUp(500, { contentBytes: 48_000 });
    await pages.load('r', 1, 500);
    await pages.load('r', 65, 500);
    assert.equal(reads[1]?.limit, 5);
  });

  test('a replay through long entries reads little more than it needs', async () => {
    const { pages, reads, advance } = setUp(500, { contentBytes: 16_000 });
    for (let seq = 1; seq <= 500; seq++) {
      if (!pages.at('r', seq)) await pages.load('r', seq, 500);
      assert.equal(seqAt(pages, 'r', seq), seq);
      // A slow reader: what was read is forgotten now and then.
      advance(100);
      pages.forget();
    }
    const read = reads.reduce((sum, { limit }) => sum + limit, 0);
    assert.ok(read < 1000, `${read} entries`);
  });

  test('a later asker gets what was read; after some seconds it is read again', async () => {
    const { pages, reads, advance } = setUp(150);
    await pages.load('r', 60, 150);
    assert.equal(seqAt(pages, 'r', 80), 80);
    advance(4999);
    pages.forget();
    assert.equal(seqAt(pages, 'r', 80), 80);
    advance(1);
    pages.forget();
    assert.deepEqual([seqAt(pages, 'r', 80), pages.bytes], [undefined, 0]);
    await pages.load('r', 80, 150);
    assert.equal(reads.length, 2);
  });

  test('however many rooms are read, what is held and what is being read has a bound; the least recently used page goes first', async () => {
    const { pages, openMax } = setUp(64, { contentBytes: 1000, pagesMaxBytes: 500_000 });
    await Promise.all(Array.from({ length: 40 }, (_, room) => pages.load(`r${room}`, 1, 64)));
    assert.ok(pages.bytes > 400_000 && pages.bytes <= 500_000, `${pages.bytes} bytes`);
    assert.equal(openMax(), 4);
    assert.deepEqual([seqAt(pages, 'r0', 1), seqAt(pages, 'r39', 1)], [undefined, 1]);
    // The oldest of what is left is used, so that another one goes.
    const oldest = Array.from({ length: 40 }, (_, room) => `r${room}`).filter((room) => pages.at(room, 1));
    pages.at(oldest[0] as string, 1);
    await pages.load('new', 1, 64);
    assert.deepEqual(
      [oldest[0], oldest[1]].map((room) => seqAt(pages, room as string, 1)),
      [1, undefined],
    );
  });

  test('a page larger than the bound is held alone, because somebody waits for it', async () => {
    const { pages } = setUp(64, { contentBytes: 1000, pagesMaxBytes: 1000 });
    await pages.load('a', 1, 64);
    await pages.load('b', 1, 64);
    assert.deepEqual([seqAt(pages, 'a', 1), seqAt(pages, 'b', 64)], [undefined, 64]);
  });

  test('a database that has lost its end is an error, not an endless loop', async () => {
    const { pages } = setUp(50);
    await pages.load('r', 40, 1000);
    await assert.rejects(pages.load('r', 51, 1000), /no entry from 51/);
    await assert.rejects(pages.load('r', 100, 1000), /no entry from 51/);
  });

  test('what was being read of a former database is not kept', async () => {
    const { pages } = setUp(50);
    const reading = pages.load('r', 1, 50);
    await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
    pages.clear();
    await assert.rejects(reading, /replaced/);
    assert.deepEqual([pages.bytes, seqAt(pages, 'r', 1)], [0, undefined]);
    await pages.load('r', 1, 50);
    assert.equal(seqAt(pages, 'r', 1), 1);
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

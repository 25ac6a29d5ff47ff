// When a feed reads from the database what has not arrived.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { createLog } from '@parley/kit/process';
import type { Entry } from '@parley/protocol';
import { ReplayPages } from '../../../services/chat/src/rooms/replay-pages.ts';
import { RoomFeed } from '../../../services/chat/src/rooms/room-feed.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });
const arrival = (first: number) => ({ first, frames: [Buffer.from(String(first))] });
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('an entry that is missing', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  const setUp = () => {
    const reads: number[] = [];
    const delivered: string[] = [];
    const entriesAfter = (_: string, after: number) => {
      reads.push(after);
      const entries = Array.from({ length: 3 - after }, (__, index) => ({ seq: after + 1 + index, kind: 'message' }) as Entry);
      return Promise.resolve(entries);
    };
    const feed = new RoomFeed({
      onRelease: () => {},
      ...{ roomId: 'r', log, onRepair: () => {}, pages: new ReplayPages({ read: entriesAfter, now: () => 0 }) },
      reader: { entriesAfter } as unknown as ConstructorParameters<typeof RoomFeed>[0]['reader'],
      audience: { publish: (__, frame) => void delivered.push(frame.toString()), beforeSystemEntry: () => {}, afterSystemEntry: () => {} },
    });
    feed.start(0);
    return { feed, reads, delivered };
  };

  test('has 50 ms to arrive by itself: nothing is read for it', async () => {
    const { feed, reads, delivered } = setUp();
    feed.accept(arrival(2));
    mock.timers.tick(49);
    await nextTurn();
    assert.deepEqual([reads, delivered], [[], []]);
    feed.accept(arrival(1));
    mock.timers.tick(1000);
    await nextTurn();
    assert.deepEqual([reads, delivered], [[], ['1', '2']]);
    feed.close();
  });

  test('is read once the 50 ms are over', async () => {
    const { feed, reads } = setUp();
    feed.accept(arrival(2));
    mock.timers.tick(50);
    await nextTurn();
    assert.deepEqual([reads, feed.last], [[0], 3]);
    feed.close();
  });
});

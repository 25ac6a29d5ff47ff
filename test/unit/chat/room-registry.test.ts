// Which feed a room's channel belongs to, when the database is replaced while a join is under way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '@parley/kit/process';
import { RoomRegistry } from '../../../services/chat/src/rooms/room-registry.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });

test('a join that gives back the feed of a former epoch leaves the subscription to the newer feed', async () => {
  const changes: string[] = [];
  let epoch = 'one';
  const rooms = new RoomRegistry({
    reader: {
      memberships: () => Promise.resolve([]),
      entriesAfter: () => Promise.resolve([]),
      heads: () => Promise.resolve(new Map()),
      epoch: () => Promise.resolve(epoch),
    },
    fanout: {
      connected: true,
      subscribe: () => Promise.resolve(void changes.push('subscribe')),
      unsubscribe: () => void changes.push('unsubscribe'),
      publish: () => {},
    },
    audience: { publish: () => {}, beforeSystemEntry: () => {}, afterSystemEntry: () => {} },
    ...{ log, epoch, onNewEpoch: () => {} },
  });
  const former = await rooms.acquire('r');
  epoch = 'two';
  await rooms.compareHeads();
  const newer = await rooms.acquire('r');
  former.release();
  assert.deepEqual(changes, ['subscribe', 'unsubscribe', 'subscribe']);
  assert.equal(rooms.get('r'), newer);
  newer.release();
  assert.equal(changes.at(-1), 'unsubscribe', 'a feed that let nobody in gives its subscription back');
  rooms.close();
});

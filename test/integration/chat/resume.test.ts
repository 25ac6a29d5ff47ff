// Joining with after_seq: exactly what was missed, on any replica, of any age.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';
import type { WsClient } from '../../helpers/ws-client.ts';

const seqs = (client: WsClient, room: string) => client.messages(room).map((frame) => frame['seq']);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('resume', () => {
  let cluster: ChatCluster;
  let one: Replica;
  let two: Replica;
  before(async () => {
    cluster = await startChatCluster(2);
    [one, two] = cluster.replicas as [Replica, Replica];
  });
  after(() => cluster.stop());

  const fill = async (room: string, count: number) => {
    const writer = await cluster.login(one, 1);
    for (let index = 1; index <= count; index++) {
      writer.send({ type: 'message', room_id: room, content: `n${index}`, client_msg_id: `n${index}` });
      // Not more at once than a slow machine takes.
      if (index % 50 === 0 || index === count) await writer.next((frame) => frame['client_msg_id'] === `n${index}`, 120_000);
    }
    assert.equal(writer.frames.filter((frame) => frame.type === 'ack').length, count);
    await writer.close();
  };

  test('without after_seq nothing old is sent', async () => {
    const room = await cluster.room([1, 2]);
    await fill(room, 3);
    const bob = await cluster.login(two, 2);
    const joined = await bob.join(room);
    assert.deepEqual([joined['seq'], joined['recovered'], joined['unread_count']], [3, true, 3]);
    assert.deepEqual(seqs(bob, room), []);
  });

  test('a replica that never served the room replays from the database', async () => {
    const room = await cluster.room([1, 2]);
    await fill(room, 20);
    const bob = await cluster.login(two, 2);
    const joined = await bob.join(room, 5);
    assert.deepEqual([joined['seq'], joined['recovered'], joined['replayed_from']], [20, true, 6]);
    assert.deepEqual(seqs(bob, room), range(6, 20));
  });

  test('a replica that has the newest frames replays from memory', async () => {
    const room = await cluster.room([1, 2]);
    const watcher = await cluster.login(two, 2);
    await watcher.join(room);
    await fill(room, 10);
    await watcher.until(() => seqs(watcher, room).length === 10 || undefined);
    const again = await cluster.login(two, 2);
    await again.join(room, 3);
    assert.deepEqual(seqs(again, room), range(4, 10));
  });

  test('more than 500 behind: a gap to fetch by REST, then the newest 500', async () => {
    const room = await cluster.room([1, 2]);
    await fill(room, 620);
    const bob = await cluster.login(two, 2);
    await bob.join(room, 10);
    const gap = bob.frames.find((frame) => frame.type === 'gap');
    assert.deepEqual([gap?.['from'], gap?.['to']], [11, 120]);
    assert.deepEqual(seqs(bob, room), range(121, 620));
  });

  test('a position this database never gave: recovered is false', async () => {
    const room = await cluster.room([1]);
    await fill(room, 2);
    const client = await cluster.login(one, 1);
    assert.equal((await client.join(room, 50))['recovered'], false);
    client.send({ type: 'join_room', room_id: room, after_seq: 1, epoch: 'another' });
    const answer = await client.until(() => client.frames.filter((frame) => frame.type === 'joined')[1]);
    assert.equal(answer['recovered'], false);
    assert.deepEqual(seqs(client, room), []);
  });

  test('joins while others send: nothing missing, nothing twice', async () => {
    const room = await cluster.room([1, 2, 3]);
    const senders = [await cluster.login(one, 1), await cluster.login(two, 3)];
    const total = 400;
    let sent = 0;
    const sending = (async () => {
      while (sent < total) await Promise.all(senders.map((sender) => sender.say(room, `c${sent}`, `c${sent++}`)));
    })();
    const joiners: WsClient[] = [];
    while (sent < total) {
      const joiner = await cluster.login(joiners.length % 2 ? one : two, 2);
      joiners.push(joiner);
      await joiner.join(room, 0);
    }
    await sending;
    await Promise.all(joiners.map((joiner) => joiner.until(() => seqs(joiner, room).at(-1) === total || undefined)));
    for (const joiner of joiners) assert.deepEqual(seqs(joiner, room), range(1, total));
    assert.ok(joiners.length > 1);
  });
});

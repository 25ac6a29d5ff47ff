// A restored database has another epoch: positions of before mean nothing, and clients are told so.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster, type Replica } from '../../helpers/chat-cluster.ts';

describe('epoch', () => {
  let cluster: ChatCluster;
  before(async () => (cluster = await startChatCluster(1)));
  after(() => cluster.stop());

  test('a restore while sockets are open closes them with 1012; the join with the old epoch is not recovered', async () => {
    const one = cluster.replicas[0] as Replica;
    const room = await cluster.room([1]);
    const alice = await cluster.login(one, 1);
    const joined = await alice.join(room);
    await alice.say(room, 'one', 'm1');
    await cluster.pool.query(`UPDATE lineage SET epoch = 'restored-one'`);
    assert.equal((await alice.waitClosed()).code, 1012);
    const back = await cluster.login(one, 1);
    back.send({ type: 'join_room', room_id: room, after_seq: 1, epoch: joined['epoch'] });
    const again = await back.next((frame) => frame.type === 'joined');
    assert.deepEqual([again['recovered'], again['epoch']], [false, 'restored-one']);
    assert.equal((await back.say(room, 'two', 'm2'))['seq'], 2);
    await back.next((frame) => frame.type === 'message' && frame['seq'] === 2);
  });
});

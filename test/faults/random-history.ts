// Random runs of 200 clients on three replicas, with and without faults: the recorded history breaks no invariant of spec 04 §4.7.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChatCluster, type ChatCluster } from '../helpers/chat-cluster.ts';
import { seed } from '../helpers/seed.ts';
import { checkHistory } from './check-history.ts';
import { randomRun } from './random-run.ts';

/** Two runs of so many seconds each. */
export function randomHistories(seconds: number): void {
  describe('random histories', () => {
    let cluster: ChatCluster;
    beforeEach(async () => {
      cluster = await startChatCluster(3, {}, { own: true });
    });
    afterEach(() => cluster.stop());

    const run = async (name: string, fault?: () => Promise<void>) => {
      const options = { cluster, seed, seconds, clients: 200, rooms: 20, membersPerRoom: 15 };
      const history = await randomRun({ ...options, ...(fault ? { fault } : {}) });
      const count = (kind: string) => history.events.filter((event) => event.kind === kind).length;
      console.log(
        `${name}, seed ${seed}, ${seconds} s: ${history.stored.length} entries stored, ${count('delivered')} delivered, ${count('join')} joins, ` +
          `${history.stored.filter((entry) => entry.member).length} membership changes, ${count('refused')} refusals, ${count('gap')} gaps with ${count('paged')} entries paged`,
      );
      assert.ok(history.stored.length > seconds * 5, 'the run did something');
      assert.deepEqual(checkHistory(history).slice(0, 10), [], `seed ${seed}`);
    };

    test('three replicas, nothing breaks but the clients', () => run('no faults'));

    test('a replica is killed, Redis is killed and comes back, MySQL freezes', () =>
      run('faults', async () => {
        const [, , third] = cluster.replicas;
        await third?.kill('SIGKILL');
        await cluster.startReplica('chat-4');
        cluster.servers.redis.kill('SIGKILL');
        await sleep(1500);
        await cluster.servers.start('redis');
        cluster.servers.mysql.kill('SIGSTOP');
        await sleep(3000);
        cluster.servers.mysql.kill('SIGCONT');
      }));
  });
}

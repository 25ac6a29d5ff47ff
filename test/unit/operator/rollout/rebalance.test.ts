// Which replicas let go of sockets, when, and how many; and who is asked when a HAProxy leaves.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../../helpers/seed.ts';
import { moveSockets, type MoveRequest } from '../../../../operator/src/rollout/socket-moves.ts';
import { rebalanceStep } from '../../../../operator/src/rollout/rebalance.ts';
import type { ChatPod } from '../../../../operator/src/rollout/rollout.ts';

const pod = (ordinal: number, connections: number, more: Partial<ChatPod> = {}): ChatPod => ({
  ...{ name: `demo-chat-${ordinal}`, namespace: 'team', uid: `u${ordinal}`, cluster: 'demo', component: 'chat', ip: `10.0.0.${ordinal}` },
  ...{ revision: 'r', ready: true, terminating: false, problem: undefined },
  ...{ sockets: { connections, maxConnections: 10_000, draining: false } },
  ...more,
});
const step = (counts: number[], more: { settled?: boolean; replicas?: number } = {}) =>
  rebalanceStep(
    counts.map((count, ordinal) => pod(ordinal, count)),
    { replicas: counts.length, settled: true, ...more },
  ).map(({ pod: { name }, count }) => [name, count]);

describe('a rebalance', () => {
  test('moves a fifth of a full replica at most, and never more than what is above the average', () => {
    assert.deepEqual(step([500, 500, 0]), [
      ['demo-chat-0', 100],
      ['demo-chat-1', 100],
    ]);
    assert.deepEqual(step([460, 270, 270]), [['demo-chat-0', 92]]);
    assert.deepEqual(step([420, 300, 280]), [['demo-chat-0', 84]]);
  });
  test('leaves small differences alone, and small clusters', () => {
    assert.deepEqual(step([400, 330, 320]), []);
    assert.deepEqual(step([30, 0, 0]), [['demo-chat-0', 6]]);
    assert.deepEqual(step([25, 5, 5]), []);
    assert.deepEqual(step([1000]), []);
  });
  test('waits until every replica is there and the numbers stand still', () => {
    assert.deepEqual(step([500, 0], { settled: false }), []);
    assert.deepEqual(step([500, 0], { replicas: 3 }), []);
    const away = [pod(0, 500), pod(1, 0, { ready: false }), pod(2, 0)];
    assert.deepEqual(rebalanceStep(away, { replicas: 3, settled: true }), []);
  });
  test('repeated, it comes to rest, and no replica is ever asked below the average', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { minLength: 2, maxLength: 12 }), (start) => {
        let counts = start;
        const average = start.reduce((sum, each) => sum + each, 0) / start.length;
        for (let round = 0; round < 200; round++) {
          const moves = rebalanceStep(
            counts.map((count, ordinal) => pod(ordinal, count)),
            { replicas: counts.length, settled: true },
          );
          if (moves.length === 0) return true;
          for (const { pod: from, count } of moves) {
            const index = Number(from.name.split('-').at(-1));
            counts = counts.map((each, other) => (other === index ? each - count : each));
            assert.ok((counts[index] ?? 0) >= Math.floor(average));
            // leastconn
            for (let socket = 0; socket < count; socket++) counts[counts.indexOf(Math.min(...counts))]!++;
          }
        }
        return false;
      }),
      { numRuns: 50 },
    );
  });
});

describe('moves', () => {
  const world = () => {
    const asked: ({ ip: string } & MoveRequest)[] = [];
    const told: string[] = [];
    const context = {
      recorder: { record: (_live: unknown, { reason }: { reason: string }) => void told.push(reason) },
      move: async (ip: string, request: MoveRequest) => {
        asked.push({ ip, ...request });
        if (ip === '10.0.0.1') throw new Error('no answer');
        return 7;
      },
    };
    const live = { apiVersion: 'v1', kind: 'ChatCluster', metadata: { name: 'demo' } };
    const input = { live, replicas: 2, settled: true, rollingOut: false, asked: new Set<string>() };
    return { asked, told, context, input };
  };
  const haproxy = (more: Partial<ChatPod> = {}) =>
    pod(9, 0, { name: 'demo-haproxy-x', component: 'haproxy', sockets: undefined, terminating: true, ready: false, ...more });

  test('every replica is asked once for the sockets that came through a HAProxy that leaves', async () => {
    const { asked, told, context, input } = world();
    const pods = [pod(0, 10), pod(1, 10), haproxy()];
    await moveSockets({ ...input, pods }, context);
    await moveSockets({ ...input, pods }, context);
    assert.deepEqual(asked, [
      { ip: '10.0.0.0', via: '10.0.0.9' },
      { ip: '10.0.0.1', via: '10.0.0.9' },
    ]);
    assert.deepEqual(told, ['ProxyDrained']);
  });
  test('a HAProxy that stays is left alone, and nothing is rebalanced while one leaves or chat rolls', async () => {
    const { asked, context, input } = world();
    const uneven = [pod(0, 500), pod(2, 0)];
    await moveSockets({ ...input, pods: [...uneven, haproxy({ terminating: false, ready: true })], rollingOut: true }, context);
    assert.deepEqual(asked, []);
    await moveSockets({ ...input, pods: [...uneven, haproxy()] }, context);
    assert.ok(asked.every((each) => 'via' in each));
    asked.length = 0;
    await moveSockets({ ...input, pods: uneven }, context);
    assert.deepEqual(asked, [{ ip: '10.0.0.0', count: 100 }]);
  });
});

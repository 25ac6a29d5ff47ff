// Which chat replicas are told to let their sockets go, and which to take sockets again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drainDecision, followDrains } from '../../../../operator/src/rollout/requested-drains.ts';
import type { ChatPod } from '../../../../operator/src/rollout/rollout.ts';

const pod = (
  ordinal: number,
  connections: number,
  { asked = false, max = 1000, ...more }: Partial<ChatPod> & { asked?: boolean; max?: number } = {},
): ChatPod => ({
  ...{ name: `demo-chat-${ordinal}`, namespace: 'team', uid: `u${ordinal}`, cluster: 'demo', component: 'chat', ip: `10.0.0.${ordinal}` },
  ...{ revision: 'r', ready: !asked, terminating: false, problem: undefined },
  ...{ sockets: { connections, maxConnections: max, draining: asked, asked } },
  ...more,
});
const decide = (pods: ChatPod[], options = {}) => {
  const { orders, told } = drainDecision(pods, options);
  return { orders: orders.map(({ pod: { name }, drain }) => `${name} ${drain ? 'drain' : 'serve'}`), told: Object.fromEntries(told) };
};
const drainAsked = true;

describe('a requested drain', () => {
  test('is ordered where it is asked for and not there yet, and ended where nobody asks any more', () => {
    assert.deepEqual(decide([pod(0, 5), pod(1, 5), pod(2, 5)]), { orders: [], told: {} });
    assert.deepEqual(decide([pod(0, 5), pod(1, 5, { drainAsked })]), {
      orders: ['demo-chat-1 drain'],
      told: { 'demo-chat-1': 'draining' },
    });
    assert.deepEqual(decide([pod(0, 5), pod(1, 5, { drainAsked, asked: true })]), { orders: [], told: { 'demo-chat-1': 'draining' } });
    assert.deepEqual(decide([pod(0, 5), pod(1, 0, { drainAsked, asked: true })]), { orders: [], told: { 'demo-chat-1': 'empty' } });
    assert.deepEqual(decide([pod(0, 5), pod(1, 0, { asked: true })]), { orders: ['demo-chat-1 serve'], told: {} });
  });
  test('leaves one that serves, and gives one back when the others are gone', () => {
    const all = [pod(0, 5, { drainAsked }), pod(1, 5, { drainAsked })];
    assert.deepEqual(decide(all).orders, []);
    assert.match(decide(all).told['demo-chat-0'] ?? '', /waits: no other replica takes sockets/);
    const alone = [pod(0, 5, { drainAsked, asked: true }), pod(1, 0, { ready: false })];
    assert.deepEqual(decide(alone).orders, ['demo-chat-0 serve']);
  });
  test('waits for room, with those in mind that are on their way already', () => {
    const full = decide([pod(0, 950), pod(1, 100, { drainAsked })]);
    assert.deepEqual(full.orders, []);
    assert.match(full.told['demo-chat-1'] ?? '', /it has 100 sockets and the others room for 50; raise spec\.chat\.replicas/);
    const two = decide([pod(0, 500), pod(1, 300, { drainAsked }), pod(2, 300, { drainAsked })]);
    assert.deepEqual(two.orders, ['demo-chat-1 drain']);
    const onTheWay = decide([pod(0, 500), pod(1, 300, { drainAsked, asked: true }), pod(2, 300, { drainAsked })]);
    assert.deepEqual([onTheWay.orders, onTheWay.told['demo-chat-1']], [[], 'draining']);
  });
  test('is none of a pod that goes, and waits for one that does not answer', () => {
    assert.deepEqual(decide([pod(0, 5), pod(1, 5, { drainAsked, terminating: true })]), { orders: [], told: {} });
    assert.deepEqual(decide([pod(0, 5), pod(1, 5, { drainAsked, sockets: undefined })]), {
      orders: [],
      told: { 'demo-chat-1': 'waits: it does not answer' },
    });
  });
  test('of a paused ChatCluster is not begun and not ended, and says so', () => {
    const pods = [pod(0, 5), pod(1, 5, { drainAsked }), pod(2, 5, { asked: true })];
    assert.deepEqual(decide(pods, { paused: true }), { orders: [], told: { 'demo-chat-1': 'waits: the ChatCluster is paused' } });
  });
  test('a replica that refuses is told as what it waits for, and is no event', async () => {
    const decision = drainDecision([pod(0, 5), pod(1, 5, { drainAsked }), pod(2, 7, { drainAsked })]);
    const events: string[] = [];
    await followDrains({ apiVersion: 'v1', kind: 'X', metadata: { name: 'demo' } }, decision, {
      recorder: { record: (_, { note }) => void events.push(note) },
      drain: (ip) => (ip === '10.0.0.1' ? Promise.reject(new Error('404')) : Promise.resolve({})),
    });
    assert.deepEqual(events, ['demo-chat-2 is asked to let its 7 sockets go']);
    assert.deepEqual([...decision.told.values()], ['waits: it did not take the order (404)', 'draining']);
  });
});

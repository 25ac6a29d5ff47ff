// The next step of a rollout, from what is seen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../../helpers/seed.ts';
import { HELD_MS, rolloutStep, type ChatPod, type RolloutInput } from '../../../../operator/src/rollout/rollout.ts';

const NEW = 'demo-chat-new';
const OLD = 'demo-chat-old';
const sockets = (connections: number, maxConnections = 1000) => ({ connections, maxConnections, draining: false });
const pod = (ordinal: number, more: Partial<ChatPod> = {}): ChatPod => ({
  ...{ name: `demo-chat-${ordinal}`, namespace: 'team', uid: `u${ordinal}`, cluster: 'demo', component: 'chat', ip: '10.0.0.1' },
  ...{ revision: OLD, ready: true, terminating: false, problem: undefined, sockets: sockets(10) },
  ...more,
});
const step = (pods: ChatPod[], more: Partial<RolloutInput> = {}) => {
  const { replace, message } = rolloutStep({ replicas: 3, updateRevision: NEW, pods, settled: true, ...more });
  return { replace: replace.map(({ name }) => name), message };
};
const crash = { reason: 'CrashLoopBackOff', message: 'it ended 3 times', next: 'read the log' };

describe('a rollout', () => {
  test('is none when all are of the revision that is wanted, or nobody knows which that is', () => {
    assert.deepEqual(step([0, 1, 2].map((each) => pod(each, { revision: NEW }))), { replace: [], message: undefined });
    assert.deepEqual(step([pod(0)], { updateRevision: undefined }), { replace: [], message: undefined });
  });
  test('begins with the replica with the fewest sockets, then the highest', () => {
    assert.deepEqual(step([pod(0, { sockets: sockets(3) }), pod(1), pod(2)]).replace, ['demo-chat-0']);
    const { replace, message } = step([pod(0), pod(1), pod(2)]);
    assert.deepEqual(replace, ['demo-chat-2']);
    assert.equal(message, '0 of 3 chat replicas are of the new revision; demo-chat-2 is told to go with 10 sockets');
  });
  test('waits while a replica drains, and tells how far it is', () => {
    const { replace, message } = step([pod(0), pod(1), pod(2, { terminating: true, ready: false, sockets: sockets(4) })]);
    assert.deepEqual(replace, []);
    assert.match(message ?? '', /demo-chat-2 drains, 4 sockets left/);
  });
  test('waits for the successor, until it is there and ready and the sockets have come back', () => {
    assert.match(step([pod(0), pod(1)]).message ?? '', /a replica is being made/);
    assert.match(step([pod(0), pod(1), pod(2, { revision: NEW, ready: false })]).message ?? '', /demo-chat-2 starts/);
    assert.match(step([pod(0), pod(1), pod(2, { revision: NEW })], { settled: false }).message ?? '', /on their way back/);
    assert.deepEqual(step([pod(0), pod(1), pod(2, { revision: NEW })]).replace, ['demo-chat-1']);
  });
  test('is held in its middle while delivery is not healthy, but not for ever, and never before it has begun', () => {
    const half = [pod(0), pod(1), pod(2, { revision: NEW })];
    const unhealthy = { message: '1 lost', forMs: 1000 };
    const { replace, message } = step(half, { unhealthy });
    assert.deepEqual(replace, []);
    assert.match(message ?? '', /held, because delivery is not healthy: 1 lost/);
    assert.deepEqual(step(half, { unhealthy: { ...unhealthy, forMs: HELD_MS } }).replace, ['demo-chat-1']);
    assert.deepEqual(step([pod(0), pod(1), pod(2)], { unhealthy }).replace, ['demo-chat-2'], 'the new version may be the cure');
  });
  test('stops at a new revision that does not come up, with the cause', () => {
    const { replace, message } = step([pod(0), pod(1), pod(2, { revision: NEW, ready: false, problem: crash, sockets: undefined })]);
    assert.deepEqual(replace, []);
    assert.match(message ?? '', /demo-chat-2 is not ready: CrashLoopBackOff: it ended 3 times; read the log/);
  });
  test('a crash-looping replica of another revision is replaced at once, whatever else happens', () => {
    const broken = pod(2, { ready: false, problem: crash, sockets: undefined });
    assert.deepEqual(step([pod(0, { terminating: true, ready: false }), pod(1), broken], { settled: false }).replace, ['demo-chat-2']);
    assert.deepEqual(step([0, 1, 2].map((each) => pod(each, { ready: false, sockets: undefined }))).replace.length, 3);
  });
  test('a replica that is not ready but holds sockets is one that serves', () => {
    const pods = [0, 1, 2].map((each) => pod(each, { ready: false }));
    assert.deepEqual(step(pods).replace, ['demo-chat-2']);
  });
  test('replicas that run, are not ready and do not answer are overloaded, not empty: one at a time', () => {
    const busy = { ready: false, started: true, sockets: undefined };
    assert.deepEqual(step([pod(0, busy), pod(1, busy), pod(2)]).replace, ['demo-chat-1']);
    assert.deepEqual(step([pod(0, busy), pod(1, { ...busy, terminating: true }), pod(2)]).replace, []);
    assert.deepEqual(step([pod(0, { ...busy, sockets: sockets(0) }), pod(1, { terminating: true })]).replace, ['demo-chat-0']);
  });
  test('waits when the others have no room for the sockets, and says what to do; alone it goes on', () => {
    const full = (each: number) => pod(each, { sockets: sockets(990) });
    const { replace, message } = step([full(0), full(1), full(2)]);
    assert.deepEqual(replace, []);
    assert.match(message ?? '', /has 990 sockets and the others room for 20: raise spec.chat.replicas or spec.chat.maxConnections/);
    assert.deepEqual(step([full(0)], { replicas: 1 }).replace, ['demo-chat-0']);
  });
  test('a replica that did not answer is no reason to wait', () => {
    assert.deepEqual(step([pod(0, { sockets: undefined }), pod(1), pod(2)]).replace, ['demo-chat-0']);
  });

  test('whatever is seen: at most one replica that serves goes, never while another one is on its way, and none of the new revision', () => {
    const anyPod = fc.record({
      revision: fc.constantFrom(OLD, NEW, undefined),
      ready: fc.boolean(),
      started: fc.boolean(),
      terminating: fc.boolean(),
      problem: fc.constantFrom(undefined, crash),
      sockets: fc.option(
        fc.integer({ min: 0, max: 1000 }).map((each) => sockets(each)),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(fc.array(anyPod, { maxLength: 6 }), fc.boolean(), (parts, settled) => {
        const pods = parts.map((each, ordinal) => pod(ordinal, { ...each, ready: each.ready && !each.terminating }));
        const { replace } = rolloutStep({ replicas: pods.length, updateRevision: NEW, pods, settled });
        const serving = replace.filter((each) => each.ready || (each.sockets ? each.sockets.connections > 0 : each.started));
        assert.ok(serving.length <= 1);
        assert.ok(replace.every((each) => each.revision !== NEW && !each.terminating));
        if (serving.length === 1) assert.ok(settled && pods.every((each) => !each.terminating && (each.ready || each.revision !== NEW)));
      }),
      { numRuns: 2000 },
    );
  });
});

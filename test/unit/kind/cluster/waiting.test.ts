// What `npm run kind` says while it waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatClusterObject, ContainerStatus, Pod } from '../../../../kind/cluster/src/kubectl.ts';
import { waitingFor } from '../../../../kind/cluster/src/waiting.ts';

const chatCluster = (status: 'True' | 'False', observedGeneration = 2): ChatClusterObject => ({
  metadata: { name: 'demo', generation: 2 },
  status: {
    observedGeneration,
    conditions: [{ type: 'Ready', status, reason: 'Migrating', message: 'The migration has not finished. Look at: kubectl' }],
  },
});

function pod(name: string, phase: string, { ready = false, restartCount = 0, ...rest }: Partial<ContainerStatus> = {}): Pod {
  const container = { name: 'main', image: 'x', imageID: '', ready, restartCount, ...rest };
  return { metadata: { name }, spec: { containers: [] }, status: { phase, containerStatuses: [container] } };
}

const none = new Set<string>();

test('nothing is missing when the condition is true for the newest generation', () => {
  assert.deepEqual(waitingFor({ chatCluster: chatCluster('True'), pods: [pod('a', 'Pending')], stale: none }), []);
});

test('a condition of an older generation does not count', () => {
  const [line] = waitingFor({ chatCluster: chatCluster('True', 1), pods: [], stale: none });
  assert.equal(line, 'the operator has not looked at the ChatCluster yet');
  assert.deepEqual(waitingFor({ chatCluster: undefined, pods: [], stale: none }), ['the ChatCluster does not exist yet']);
});

test('ready is not enough while a pod runs an older image', () => {
  const lines = waitingFor({
    chatCluster: chatCluster('True'),
    pods: [pod('demo-chat-0', 'Running', { ready: true })],
    stale: new Set(['demo-chat-0']),
  });
  assert.deepEqual(lines, ['demo-chat-0: still runs the image before this one']);
});

test('the reason of the condition comes first, then each pod that is not ready with its own reason', () => {
  const unscheduled: Pod = {
    metadata: { name: 'demo-mysql-0' },
    spec: { containers: [] },
    status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available:\n  no memory' }] },
  };
  const pods = [
    pod('demo-redis-0', 'Running', { ready: true }),
    pod('demo-migrate', 'Succeeded'),
    unscheduled,
    pod('demo-auth', 'Running'),
    pod('demo-chat-0', 'Running'),
    pod('demo-kafka-0', 'Pending', { state: { waiting: { reason: 'ErrImageNeverPull', message: 'image is not present' } } }),
    pod('demo-core', 'Running', {
      restartCount: 2,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s restarting ...' } },
      lastState: { terminated: { reason: 'Error', exitCode: 78 } },
    }),
  ];
  assert.deepEqual(waitingFor({ chatCluster: chatCluster('False'), pods, stale: none }), [
    'Migrating: The migration has not finished',
    'demo-mysql-0: 0/3 nodes are available: no memory',
    'demo-auth, demo-chat-0: runs, not ready yet',
    'demo-kafka-0: ErrImageNeverPull: image is not present',
    'demo-core: CrashLoopBackOff, 2 restarts (Error, exit 78)',
  ]);
});

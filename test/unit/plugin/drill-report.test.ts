// The report of a drill: what, when, how much; the same wherever it is read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatDrill } from '@parley/operator-api';
import { report } from '@parley/kubectl-parley';

const drill: ChatDrill = {
  ...{ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatDrill' },
  metadata: { name: 'one', namespace: 'team', uid: 'u', generation: 1 },
  spec: { cluster: 'demo', fault: 'PauseMySQL', durationSeconds: 30, timeoutSeconds: 600 },
};

test('a drill that ended', () => {
  const condition = { observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' };
  const text = report({
    ...drill,
    status: {
      ...{ startedAt: '2026-01-01T00:00:00Z', recoverySeconds: 7, acked: 12, lost: 1, duplicated: 0, misordered: 0 },
      targets: [{ name: 'demo-mysql-0', uid: 'x' }],
      conditions: [
        { ...condition, type: 'Complete', status: 'False', reason: 'PromiseBroken', message: 'Read the log.' },
        { ...condition, type: 'Failed', status: 'True', reason: 'PromiseBroken', message: 'Read the log.' },
      ],
    },
  });
  for (const line of ['# Drill one', '| Fault | PauseMySQL, 30 s |', '| Result | Failed: PromiseBroken |', '| Pods | demo-mysql-0 |'])
    assert.ok(text.split('\n').includes(line), `${line} in ${text}`);
  for (const line of ['| Recovery | 7 s after the end of the fault |', '| Lost | 1 |', '| Recovered | - |', 'Read the log.'])
    assert.ok(text.split('\n').includes(line), `${line} in ${text}`);
});

test('a drill that nobody has seen yet', () => assert.match(report(drill), /\| Result \| not taken up yet \|/));

// Which words of an autoscaler are told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleAutoscaler } from '../../../../operator/src/watch/autoscaler-runs.ts';
import type { KubeObject } from '../../../../operator/src/kube/transport.ts';

const autoscaler = (...conditions: { type: string; status: string; reason?: string; message?: string }[]): KubeObject => ({
  ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'demo-chat', namespace: 'team' } },
  ...(conditions.length > 0 ? { status: { conditions } } : {}),
});

test('without an autoscaler, with a new one, and with one that works there is nothing to tell', () => {
  assert.equal(idleAutoscaler([]), undefined);
  assert.equal(idleAutoscaler([autoscaler()]), undefined);
  const works = [
    { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale' },
    { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound' },
    { type: 'ScalingLimited', status: 'False', reason: 'DesiredWithinRange' },
  ];
  assert.equal(idleAutoscaler([autoscaler(...works)]), undefined);
});

test('one that rests because there shall be no replica works as wished', () => {
  assert.equal(idleAutoscaler([autoscaler({ type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled' })]), undefined);
});

test('one that sees nothing or cannot scale is told with its reason and where to look', () => {
  for (const type of ['ScalingActive', 'AbleToScale'])
    assert.equal(
      idleAutoscaler([autoscaler({ type, status: 'False', reason: 'Failed', message: 'no metrics' })]),
      'The autoscaler of chat does not work (Failed: no metrics), the number of replicas stays as it is. Look at: kubectl -n team describe hpa demo-chat; it needs an adapter that serves websocket_connections of the chat pods',
    );
});

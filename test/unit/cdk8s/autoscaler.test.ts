// The autoscaler of chat: whom it scales, by what, and how slowly down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { observeChat } from '../../../services/chat/src/metrics.ts';
import { find, objectsOf } from './rendered.ts';

interface Autoscaler {
  scaleTargetRef: object;
  minReplicas: number;
  maxReplicas: number;
  metrics: { type: string; pods: { metric: { name: string }; target: object } }[];
  behavior: { scaleDown: { stabilizationWindowSeconds: number; policies: { type: string; value: number; periodSeconds: number }[] } };
}
const autoscaling = { minReplicas: 4, maxReplicas: 20 };
const autoscalerOf = (chat: object) => find(objectsOf({ chat }), 'HorizontalPodAutoscaler', 'demo-chat')['spec'] as Autoscaler;
const down = (windowSeconds: number) =>
  autoscalerOf({ autoscaling, drain: { windowSeconds, ratePercentPerSecond: 100 } }).behavior.scaleDown;

test('there is none unless it is asked for', () => {
  assert.ok(objectsOf({}).every(({ kind }) => kind !== 'HorizontalPodAutoscaler'));
});

test('it scales the ChatCluster, so that nobody else owns the number of replicas', () => {
  const { scaleTargetRef, minReplicas, maxReplicas } = autoscalerOf({ autoscaling });
  assert.deepEqual(scaleTargetRef, { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', name: 'demo' });
  assert.deepEqual([minReplicas, maxReplicas], [4, 20]);
});

test('it goes by the sockets of a replica, as chat counts them', async () => {
  const [metric, ...more] = autoscalerOf({ autoscaling }).metrics;
  assert.deepEqual(more, []);
  assert.deepEqual(metric?.pods.target, { type: 'AverageValue', averageValue: '8000' });
  const registry = new Registry();
  const [none, seven] = [() => 0, () => 7];
  observeChat(registry, {
    ...{ connections: seven, connectionsMax: none, drainEnds: none, rooms: none, queued: none, queuedMax: none, users: none },
    ...{ slow: none, framesReceived: none, framesSent: none, redisConnected: none },
  });
  const { values } = (await registry.getSingleMetric(metric?.pods.metric.name ?? '')?.get()) ?? assert.fail('chat has no such metric');
  assert.deepEqual(
    values.map(({ value }) => value),
    [7],
  );
});

test('down it goes one replica at a time, each in no less than its drain takes', () => {
  for (const windowSeconds of [1, 60, 600, 3600]) {
    const { stabilizationWindowSeconds, policies } = down(windowSeconds);
    assert.deepEqual(
      policies.map(({ type, value }) => [type, value]),
      [['Pods', 1]],
    );
    const { periodSeconds = 0 } = policies[0] ?? {};
    // The bounds of the API server.
    assert.ok(periodSeconds > Math.min(windowSeconds, 1799) && periodSeconds <= 1800, String(periodSeconds));
    assert.ok(stabilizationWindowSeconds >= Math.max(300, Math.min(windowSeconds, 3600)) && stabilizationWindowSeconds <= 3600);
  }
});

// PodMonitor, PrometheusRule and dashboards on a real API server, whose kinds of prometheus-operator come and go while the operator runs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { installMonitoringKinds, removeMonitoringKinds } from '../helpers/prometheus-operator.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

describe('monitoring of a ChatCluster', () => {
  const world = operatorWorld();
  const { apply, get, exists, gone, becomes, condition, makeAllReady, quiet, writes, warnings, server } = world;
  const labelsOf = async (kind: string) => (await get(kind, 'demo'))?.metadata.labels ?? {};

  it('without prometheus-operator: dashboards are there, auto is content, on says what to install', async () => {
    await apply({});
    await makeAllReady();
    const { metadata } = await exists('ConfigMap', 'demo-dashboard-overview');
    assert.equal(metadata.labels?.['grafana_dashboard'], '1');
    assert.equal((await condition('Degraded'))?.reason, 'AsPlanned');
    await apply({ monitoring: { podMonitor: 'always', dashboards: false } });
    const { message } = await becomes('Degraded', 'True', 'MonitoringKindMissing');
    assert.match(message, /no kind PodMonitor.*helm install prometheus-operator-crds/);
    assert.equal((await condition('Ready'))?.status, 'True');
    await gone('ConfigMap', 'demo-dashboard-overview');
    await quiet();
    // It waits for the kinds without a watch that fails, and without a write.
    const before = writes().length;
    let looks = 0;
    await eventually('some looks', async () => ++looks > 30);
    assert.deepEqual(writes().slice(before), []);
    assert.deepEqual(warnings, []);
  });

  it('kinds that come while it runs are noticed, and their objects belong to the ChatCluster', async () => {
    await apply({ monitoring: { podMonitor: 'always' } });
    await makeAllReady();
    await becomes('Degraded', 'True', 'MonitoringKindMissing');
    await installMonitoringKinds(server());
    const { metadata, spec } = await exists('PodMonitor', 'demo');
    assert.equal(metadata.ownerReferences?.[0]?.uid, (await get('ChatCluster', 'demo'))?.metadata.uid);
    assert.equal((spec as { podMetricsEndpoints: object[] }).podMetricsEndpoints.length, 2);
    const rule = await exists('PrometheusRule', 'demo');
    assert.ok((rule['spec'] as { groups: object[] }).groups.length > 3);
    await becomes('Degraded', 'False', 'AsPlanned');
  });

  it('labels follow the spec, nothing is written again without need, and off takes both away', async () => {
    await apply({ monitoring: { labels: { release: 'one' } } });
    await makeAllReady();
    await exists('PodMonitor', 'demo');
    await apply({ monitoring: { labels: { release: 'two' } } });
    for (const kind of ['PodMonitor', 'PrometheusRule'])
      await eventually(`${kind} has its label`, async () => (await labelsOf(kind))['release'] === 'two');
    await world.restartWritesNothing();
    await apply({ monitoring: { podMonitor: 'never', prometheusRule: 'never' } });
    await gone('PodMonitor', 'demo');
    await gone('PrometheusRule', 'demo');
    assert.deepEqual(warnings, []);
  });

  it('kinds that go are noticed, too', async () => {
    await apply({ monitoring: { prometheusRule: 'always' } });
    await makeAllReady();
    await exists('PrometheusRule', 'demo');
    await removeMonitoringKinds(server());
    await becomes('Degraded', 'True', 'MonitoringKindMissing');
    await installMonitoringKinds(server());
    await exists('PrometheusRule', 'demo');
    await becomes('Degraded', 'False');
  });
});

// What the operator remembers of a ChatCluster goes with it: one that makes and deletes clusters all day must not grow.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Controller } from '../../../operator/src/controller.ts';
import { chatClusters, pathOf } from '../../../operator/src/kube/resources.ts';
import { MemoryKube } from '../../helpers/memory-kube.ts';
import { ManualClock, settled } from './manual-clock.ts';

const CLUSTERS = 60;
const noPods = () => Promise.reject(new Error('there are no pods'));

test(`${CLUSTERS} ChatClusters that are made and deleted leave nothing behind`, async () => {
  const kube = new MemoryKube();
  const clock = new ManualClock();
  const controller = new Controller({
    ...{ transport: kube, watchNamespace: '', instance: 'test', readConnections: noPods, readDelivery: noPods },
    ...{ move: noPods, drain: noPods, readKeys: noPods },
    environment: { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' },
    ...{ log: pino({ level: 'silent' }), clock: clock.asClock() },
  });
  await controller.start();
  const paths = Array.from({ length: CLUSTERS }, (_, index) => pathOf(chatClusters, 'team', `demo-${index}`));
  for (const [index, path] of paths.entries())
    await kube.request('PATCH', path, {
      query: { fieldManager: 'user', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: {
        ...{ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster' },
        metadata: { name: `demo-${index}`, namespace: 'team' },
        spec: {},
      },
    });
  const until = async (clusters: number): Promise<void> => {
    while (controller.queueDepth > 0 || controller.remembered.clusters !== clusters || controller.remembered.applied !== clusters)
      await settled();
  };
  await until(CLUSTERS);
  for (const path of paths) await kube.request('DELETE', path);
  await until(0);
  // Their claims and Secrets stay, and what is seen of those brings nothing back.
  await clock.advance(60_000);
  assert.deepEqual(controller.remembered, { clusters: 0, applied: 0 });
  await controller.stop();
});

// Chat replicas by the number of sockets, with the autoscaler of Kubernetes itself: it writes the scale of the ChatCluster, nobody undoes it.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startAutoscaler, type Autoscaler } from '../helpers/autoscaler.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const autoscaling = { minReplicas: 2, maxReplicas: 7, connectionsPerReplica: 100 };

describe('autoscaling of chat', () => {
  const world = operatorWorld(undefined, { own: true });
  const { get, exists, gone, apply, status, becomes, condition, makeAllReady, restartWritesNothing, makePod, serving, ...more } = world;
  const { chatPods, server, namespace, warnings } = more;
  let autoscaler: Autoscaler | undefined;
  after(() => autoscaler?.stop());

  const wanted = async (): Promise<number> =>
    ((await get('ChatCluster', 'demo'))?.['spec'] as { chat: { replicas: number } }).chat.replicas;
  const replicas = async (): Promise<number> => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas;

  it('makes an autoscaler that belongs to the ChatCluster, changes it, and takes it away', async () => {
    await apply({ chat: { autoscaling } });
    await makeAllReady();
    const { metadata } = await exists('HorizontalPodAutoscaler', 'demo-chat');
    assert.equal(metadata.ownerReferences?.[0]?.uid, (await get('ChatCluster', 'demo'))?.metadata.uid);
    await apply({ chat: { autoscaling: { ...autoscaling, maxReplicas: 9 } } });
    await eventually(
      'nine',
      async () => ((await get('HorizontalPodAutoscaler', 'demo-chat'))?.['spec'] as { maxReplicas: number }).maxReplicas === 9,
    );
    await apply({ chat: {} });
    await gone('HorizontalPodAutoscaler', 'demo-chat');
    assert.deepEqual(warnings, []);
  });

  it('writes nothing when nothing changed, also after a restart', async () => {
    // A number that the API server stores in another form.
    await apply({ chat: { autoscaling: { ...autoscaling, connectionsPerReplica: 2000 } } });
    await makeAllReady();
    await restartWritesNothing();
  });

  it('a number that came by the scale subresource stays, also when the manifest without one is applied again', async () => {
    await apply({ chat: { autoscaling } });
    await makeAllReady();
    await server().kubectl(['-n', namespace(), 'scale', 'chatcluster/demo', '--replicas=5']);
    await eventually('five', async () => (await replicas()) === 5);
    await apply({ chat: { autoscaling }, core: { replicas: 3 } });
    await eventually(
      'three of core',
      async () => ((await get('Deployment', 'demo-core'))?.['spec'] as { replicas: number }).replicas === 3,
    );
    assert.deepEqual([await wanted(), await replicas()], [5, 5]);
  });

  it('follows the sockets between its bounds; what it cannot see the status tells', async () => {
    await apply({ chat: { autoscaling } });
    await makeAllReady();
    for (const ordinal of [0, 1, 2]) await makePod('chat', ordinal, { revision: 'r', status: { ...serving(ordinal), phase: 'Running' } });
    await eventually('three replicas in the status', async () => (await status()).replicas === 3);
    autoscaler = await startAutoscaler(server(), async () => Object.keys(await chatPods()));
    assert.match(
      (await becomes('Degraded', 'True', 'AutoscalerIdle')).message,
      /FailedGetPodsMetric.*kubectl -n team-\d+ describe hpa demo-chat/,
    );
    assert.equal((await condition('Ready'))?.status, 'True');

    // 3 x 150 sockets for 100 each.
    await autoscaler.serve(150);
    await eventually('five replicas', async () => (await wanted()) === 5 && (await replicas()) === 5);
    const labels = (selector = ''): string[] => selector.split(',').sort();
    assert.deepEqual(
      autoscaler.asked.map(({ metric }) => metric).filter((metric) => metric !== 'websocket_connections'),
      [],
    );
    assert.deepEqual(labels(autoscaler.asked[0]?.selector), labels((await status()).selector));
    await eventually('no complaint', async () => (await condition('Degraded'))?.reason !== 'AutoscalerIdle');
    await autoscaler.serve(10_000);
    await eventually('as many as it may', async () => (await wanted()) === 7 && (await replicas()) === 7);
    assert.deepEqual(warnings, []);
  });
});

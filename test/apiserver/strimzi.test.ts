// Kafka of mode strimzi on a real API server. Strimzi's operator is Java in images and does not run here: its CRDs are stood in by small ones
// of the same group, kinds and fields that we write, and the test plays its part in the status, as it plays the other controllers.
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { STRIMZI_RULES } from '@parley/cdk8s';
import { pathOf, strimziResources } from '../../operator/src/kube/resources.ts';
import { ApiError, type KubeObject } from '../../operator/src/kube/transport.ts';
import { rightsIn, usedBy } from '../helpers/rights.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const charts = resolve(import.meta.dirname, '../../charts');
const [kafkas, pools] = strimziResources;

function crd(kind: string, plural: string): object {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.kafka.strimzi.io` },
    spec: {
      group: 'kafka.strimzi.io',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

describe('Kafka of Strimzi', () => {
  const world = operatorWorld(undefined, { audit: true });
  const { server, admin, apply, condition, becomes, exists, get, makeReady, jobName, namespace, quiet, warnings, writes } = world;
  const path = (resource: typeof kafkas, subresource?: string) => pathOf(resource ?? assert.fail(), namespace(), 'demo-kafka', subresource);
  const read = async (resource: typeof kafkas): Promise<KubeObject | undefined> =>
    admin()
      .request<KubeObject>('GET', path(resource))
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      });
  const made = (resource: typeof kafkas) => eventually(`a ${resource?.kind}`, () => read(resource));
  /** What Strimzi's operator would write. */
  const strimziSays = async (status: 'True' | 'False', more: { reason?: string; message?: string } = {}): Promise<void> => {
    const { metadata } = await made(kafkas);
    const conditions = [{ type: status === 'True' ? 'Ready' : 'NotReady', status: 'True', ...more }];
    await admin().request('PATCH', path(kafkas, 'status'), {
      contentType: 'application/merge-patch+json',
      body: { status: { observedGeneration: metadata.generation, conditions } },
    });
  };
  const asks = { kafka: { mode: 'strimzi', brokers: 3, storage: { size: '20Gi', whenDeleted: 'Delete' } } };

  it('says what is missing, one step after the other, and meanwhile keeps everything else', async () => {
    await apply(asks);
    assert.match((await becomes('DependenciesReady', 'False', 'NotReady')).message, /mysql/);
    for (const name of ['mysql', 'postgres', 'redis']) await makeReady('StatefulSet', `demo-${name}`);
    assert.match((await becomes('DependenciesReady', 'False', 'StrimziForbidden')).message, /apply charts\/strimzi-rights\.yaml/);
    await makeReady('Job', await jobName());
    await exists('Deployment', 'demo-worker');
    assert.match((await becomes('Degraded', 'True')).message, /demo|worker/);

    await server().kubectl(['apply', '-f', join(charts, 'strimzi-rights.yaml')]);
    assert.match(
      (await becomes('DependenciesReady', 'False', 'StrimziMissing')).message,
      /does not serve kafka\.strimzi\.io\/v1: install Strimzi 0\.49/,
    );
    assert.equal(await get('StatefulSet', 'demo-kafka'), undefined);
    assert.ok(!warnings.some((line) => line.includes('a reconcile failed')), warnings.join(''));

    for (const { kind, plural } of strimziResources) await server().kubectl(['apply', '-f', '-'], JSON.stringify(crd(kind, plural)));
    await made(kafkas);
    await made(pools);
    await eventually('Strimzi is waited for', async () => {
      const found = await condition('DependenciesReady');
      return found?.reason === 'KafkaNotReady' && found.message.includes('Strimzi has not looked at the Kafka demo-kafka');
    });
  });

  it('makes the two objects, copies the readiness of Kafka, and touches nothing of Strimzi’s own', async () => {
    await apply(asks);
    const kafka = await made(kafkas);
    const pool = await made(pools);
    const { metadata: owner } = (await get('ChatCluster', 'demo')) ?? assert.fail();
    for (const object of [kafka, pool])
      assert.deepEqual(
        object.metadata.ownerReferences?.map(({ uid }) => uid),
        [owner.uid],
      );
    assert.equal(pool.metadata.labels?.['strimzi.io/cluster'], 'demo-kafka');
    const { replicas, roles, storage } = pool['spec'] as {
      replicas: number;
      roles: string[];
      storage: { volumes: [Record<string, unknown>] };
    };
    assert.deepEqual([replicas, roles], [3, ['controller', 'broker']]);
    assert.deepEqual([storage.volumes[0]['size'], storage.volumes[0]['deleteClaim']], ['20Gi', true]);

    for (const name of ['mysql', 'postgres', 'redis']) await makeReady('StatefulSet', `demo-${name}`);
    await makeReady('Job', await jobName());
    const worker = JSON.stringify(await exists('Deployment', 'demo-worker'));
    assert.ok(worker.includes(`"demo-kafka-kafka-bootstrap.${namespace()}.svc.cluster.local:9092"`));
    for (const name of ['auth', 'core', 'gateway', 'worker', 'haproxy', 'canary']) await makeReady('Deployment', `demo-${name}`);
    await makeReady('StatefulSet', 'demo-chat');

    await strimziSays('False', { reason: 'InvalidResourceException', message: 'the class slow does not exist' });
    const found = await eventually('the words of Strimzi', async () => {
      const now = await condition('DependenciesReady');
      return now?.message.includes('InvalidResourceException: the class slow does not exist') && now;
    });
    assert.deepEqual([found.status, found.reason], ['False', 'KafkaNotReady']);
    assert.equal((await condition('Ready'))?.reason, 'DependenciesNotReady');
    await strimziSays('True');
    await becomes('DependenciesReady', 'True');
    await becomes('Ready', 'True');

    await apply({ kafka: { ...asks.kafka, resources: { limits: { memory: '3Gi' } } } });
    await eventually('the pool follows', async () => JSON.stringify((await read(pools))?.['spec']).includes('"memory":"3Gi"'));
    await quiet();
    const ours = writes().filter((write) => write.includes('strimzi') || write.includes('/pods'));
    assert.deepEqual(
      ours.filter((write) => !/^PATCH .*\/(kafkas|kafkanodepools)\/demo-kafka$/.test(write)),
      [],
    );
  });

  it('is never switched from or to builtin', async () => {
    const otherMode = /the mode cannot be changed on a living cluster.*create a new ChatCluster and move the data/;
    await apply(asks);
    await assert.rejects(apply({}), otherMode);
    assert.equal(((await get('ChatCluster', 'demo'))?.['spec'] as { kafka: { mode: string } }).kafka.mode, 'strimzi');
  });

  it('uses each right of charts/strimzi-rights.yaml', () => {
    const used = new Set(
      server()
        .audited()
        .filter(({ objectRef, responseStatus }) => objectRef?.apiGroup === 'kafka.strimzi.io' && (responseStatus?.code ?? 500) < 300)
        .flatMap((call) => [...usedBy(call)]),
    );
    assert.deepEqual([...used].sort(), rightsIn(STRIMZI_RULES).sort());
  });
});

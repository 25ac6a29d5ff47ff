// Mode strimzi step by step on the in-memory twin of the API server, which stands in for one that has no rights, no CRDs, and then both.
// test/apiserver/strimzi.test.ts does the same on a real one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { ChatClusterStatus } from '@parley/operator-api';
import { Controller } from '../../../../operator/src/controller.ts';
import { chatClusters, ownedResource, pathOf } from '../../../../operator/src/kube/resources.ts';
import { ApiError, type KubeObject, type KubeTransport } from '../../../../operator/src/kube/transport.ts';
import { letRun } from '../../../helpers/crash.ts';
import { MemoryKube } from '../../../helpers/memory-kube.ts';
import { ManualClock, settled } from '../manual-clock.ts';

const NAMESPACE = 'team';
const DEMO = pathOf(chatClusters, NAMESPACE, 'demo');
const KAFKA = pathOf(ownedResource('Kafka'), NAMESPACE, 'demo-kafka');
const noPods = () => Promise.reject(new Error('there are no pods'));

/** A new look of the watches is at most half a minute away. */
const STEP_MS = 60_000;

test('rights, definitions, objects, readiness: each is noticed when it comes, and nothing else waits for it', async (t) => {
  const kube = new MemoryKube();
  const clock = new ManualClock();
  let answers: 403 | 404 | 200 = 403;
  const transport: KubeTransport = {
    request: (method, path, options) =>
      path.includes('kafka.strimzi.io') && answers !== 200
        ? Promise.reject(new ApiError(answers, answers === 403 ? 'Forbidden' : 'NotFound', `${path}: ${answers}`))
        : kube.request(method, path, options),
    stream: (path, query, signal) => kube.stream(path, query, signal),
  };
  const failures: string[] = [];
  const controller = new Controller({
    transport,
    environment: { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' },
    watchNamespace: '',
    instance: 'test',
    readConnections: noPods,
    readDelivery: noPods,
    move: noPods,
    drain: noPods,
    readKeys: noPods,
    log: pino({ level: 'error' }, { write: (line: string) => void failures.push(line) }),
    clock: clock.asClock(),
  });
  t.after(() => controller.stop());
  const reason = async (type: string): Promise<string | undefined> => {
    const { status }: KubeObject = await kube.request('GET', DEMO);
    return (status as ChatClusterStatus | undefined)?.conditions?.find((each) => each.type === type)?.reason;
  };
  /** Time goes by, with the controllers of Kubernetes at work. */
  const becomes = async (wanted: string): Promise<void> => {
    for (let round = 0; round < 12 && (await reason('DependenciesReady')) !== wanted; round++) {
      await settled();
      await letRun(kube, NAMESPACE);
      await clock.advance(STEP_MS);
    }
    assert.equal(await reason('DependenciesReady'), wanted);
  };
  const kafka = (): Promise<KubeObject | undefined> => kube.request<KubeObject>('GET', KAFKA).catch(() => undefined);

  await kube.request('PATCH', DEMO, {
    query: { fieldManager: 'user', force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'chat.parley.dev/v1alpha1',
      kind: 'ChatCluster',
      metadata: { name: 'demo', namespace: NAMESPACE },
      spec: { kafka: { mode: 'strimzi' } },
    },
  });
  await controller.start();
  await becomes('StrimziForbidden');
  answers = 404;
  await becomes('StrimziMissing');
  assert.ok(await kube.request('GET', pathOf(ownedResource('Deployment'), NAMESPACE, 'demo-worker')), 'the rest is there');
  assert.equal(await kafka(), undefined);

  answers = 200;
  await becomes('KafkaNotReady');
  const made = await kafka();
  assert.equal(made?.metadata.ownerReferences?.[0]?.kind, 'ChatCluster');
  const conditions = [{ type: 'Ready', status: 'True' }];
  await kube.request('PATCH', `${KAFKA}/status`, { body: { status: { observedGeneration: 1, conditions } } });
  await becomes('AllReady');

  // The definitions are gone, as far as one can see: it is told, and nothing is removed.
  answers = 404;
  await becomes('StrimziMissing');
  assert.ok(await kafka(), 'it was not pruned');
  assert.deepEqual(failures, []);
});

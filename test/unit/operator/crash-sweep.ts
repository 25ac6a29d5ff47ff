// The operator is killed before and after every single write of a create and of an update; the next one, which remembers nothing,
// comes to the same objects as one that was never killed, and leaves every Secret as it is. A sample of this runs on a real API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { ChatClusterStatus } from '@parley/operator-api';
import { Controller } from '../../../operator/src/controller.ts';
import { chatClusters, pathOf } from '../../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport } from '../../../operator/src/kube/transport.ts';
import { CREATED, differences, keptObjects, keptSecrets, letRun, mortal, UPDATED, type Crash } from '../../helpers/crash.ts';
import { MemoryKube } from '../../helpers/memory-kube.ts';
import { ManualClock, settled } from './manual-clock.ts';

const NAMESPACE = 'team';
const DEMO = pathOf(chatClusters, NAMESPACE, 'demo');
/** Longer than each wait of the operator but for the resync. */
const STEP_MS = 60_000;
const ROUNDS_MAX = 30;
const noPods = () => Promise.reject(new Error('there are no pods'));

class World {
  readonly kube = new MemoryKube();
  readonly #clock = new ManualClock();

  async apply(spec: object): Promise<void> {
    await this.kube.request('PATCH', DEMO, {
      query: { fieldManager: 'user', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name: 'demo', namespace: NAMESPACE }, spec },
    });
  }

  async start(transport: KubeTransport): Promise<Controller> {
    const controller = new Controller({
      transport,
      environment: { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' },
      watchNamespace: '',
      instance: 'test',
      readConnections: noPods,
      readDelivery: noPods,
      move: noPods,
      readKeys: noPods,
      drain: noPods,
      log: pino({ level: 'silent' }),
      clock: this.#clock.asClock(),
    });
    await controller.start();
    return controller;
  }

  /** Time goes by, with the controllers of Kubernetes at work, until everything is ready and stays as it is, or the operator is dead. */
  async rest(isDead: () => boolean = () => false): Promise<void> {
    let before = -1;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await settled();
      if (isDead()) return;
      await letRun(this.kube, NAMESPACE);
      await this.#clock.advance(STEP_MS);
      const now = await this.#version();
      if (now === before && (await this.#isReady())) return;
      before = now;
    }
    assert.fail(`not at rest after ${ROUNDS_MAX} rounds: ${JSON.stringify((await this.kube.request<KubeObject>('GET', DEMO))['status'])}`);
  }

  /** It moves with every write. */
  async #version(): Promise<number> {
    const { metadata }: { metadata: { resourceVersion: string } } = await this.kube.request('GET', pathOf(chatClusters, NAMESPACE));
    return Number(metadata.resourceVersion);
  }

  async #isReady(): Promise<boolean> {
    const { metadata, status }: KubeObject = await this.kube.request('GET', DEMO);
    const ready = (status as ChatClusterStatus | undefined)?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
  }
}

type Scene = 'create' | 'update';

/** A create or an update up to its end, or up to the crash. */
async function begin(scene: Scene, crash?: Crash) {
  const world = new World();
  await world.apply(CREATED);
  if (scene === 'update') {
    const earlier = await world.start(world.kube);
    await world.rest();
    await earlier.stop();
    await world.apply(UPDATED);
  }
  const transport = mortal(world.kube, crash);
  const operator = await world.start(transport);
  await world.rest(() => transport.dead);
  await operator.stop();
  assert.equal(transport.dead, crash !== undefined);
  return { world, writes: transport.writes, objects: await keptObjects(world.kube, NAMESPACE) };
}

/** What the next operator makes of it. */
async function goOn(world: World): Promise<string[]> {
  const before = await keptSecrets(world.kube, NAMESPACE);
  const next = await world.start(world.kube);
  await world.rest();
  await next.stop();
  const after = await keptSecrets(world.kube, NAMESPACE);
  for (const [name, secret] of Object.entries(before)) assert.deepEqual(after[name], secret, `Secret ${name} stays as it is`);
  return keptObjects(world.kube, NAMESPACE);
}

/** Declares the test of a scene; a file each, for it takes a while. */
export function sweep(scene: Scene, when: Crash['when']): void {
  test(`${scene}: killed ${when} each write, the next operator comes to the same objects`, async (t) => {
    const { writes, objects } = await begin(scene);
    t.diagnostic(`${writes.length} writes`);
    assert.ok(writes.length > 20, writes.join('\n'));
    for (const [write, what] of writes.entries()) {
      const killed = await begin(scene, { write, when });
      assert.deepEqual(killed.writes, writes.slice(0, write + 1));
      assert.deepEqual(differences(await goOn(killed.world), objects), [], `${when} ${what}`);
    }
  });
}

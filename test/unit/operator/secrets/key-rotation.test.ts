// The change of the signing key and its Secret: killed before and after every write, the next operator goes on and ends with one new key;
// two that write at once leave one change. And both annotations, through the controller: what is asked for is seen and done.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { signingKeys } from '@parley/cdk8s';
import type { ChatClusterStatus } from '@parley/operator-api';
import { Controller } from '../../../../operator/src/controller.ts';
import { rotateSigningKey } from '../../../../operator/src/secrets/key-rotation.ts';
import { chatClusters, pathOf, pods, secrets } from '../../../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport } from '../../../../operator/src/kube/transport.ts';
import { DRAIN_ANNOTATION } from '../../../../operator/src/watch/pods.ts';
import { ROTATE_ANNOTATION } from '../../../../operator/src/secrets/signing-keys.ts';
import { letRun, mortal } from '../../../helpers/crash.ts';
import { MemoryKube } from '../../../helpers/memory-kube.ts';
import { planOf } from '../../cdk8s/rendered.ts';
import { ManualClock, settled } from '../manual-clock.ts';

const NAMESPACE = 'team';
const SECRET = pathOf(secrets, NAMESPACE, 'demo-jwt');
const DEMO = pathOf(chatClusters, NAMESPACE, 'demo');
const contentType = 'application/merge-patch+json';
const plan = planOf({});
const cluster: KubeObject = {
  ...{ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster' },
  metadata: { name: 'demo', namespace: NAMESPACE, uid: 'u', annotations: { [ROTATE_ANNOTATION]: 'one' } },
};

async function idsOf(kube: MemoryKube): Promise<string[]> {
  const { data }: { data: Record<string, string> } = await kube.request('GET', SECRET);
  return (JSON.parse(Buffer.from(data['keys.json'] ?? '', 'base64').toString()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
}

async function withSecret(): Promise<MemoryKube> {
  const kube = new MemoryKube();
  const data = { 'keys.json': Buffer.from(JSON.stringify(signingKeys(randomBytes))).toString('base64') };
  await kube.request('POST', pathOf(secrets, NAMESPACE), { body: { metadata: { name: 'demo-jwt', namespace: NAMESPACE }, data } });
  return kube;
}

/** Looks every minute for an hour, without a replica of auth to wait for. */
async function rotate(transport: KubeTransport, clock: { ms: number }): Promise<void> {
  for (const end = clock.ms + 3_600_000; clock.ms < end; clock.ms += 60_000)
    await rotateSigningKey(plan, cluster, [], {
      transport,
      recorder: { record: () => {} },
      readKeys: () => Promise.reject(new Error('nobody is there')),
      random: randomBytes,
      now: () => new Date(clock.ms),
    });
}

test('killed at each write, the next operator ends with one new key, and asks for no second one', async () => {
  const begin = Date.parse('2026-01-01T00:00:00Z');
  const whole = mortal(await withSecret());
  await rotate(whole, { ms: begin });
  assert.ok(whole.writes.length >= 3 && whole.writes.length <= 6, whole.writes.join('\n'));
  for (const when of ['before', 'after'] as const)
    for (const write of whole.writes.keys()) {
      const kube = await withSecret();
      const [old] = await idsOf(kube);
      const clock = { ms: begin };
      await assert.rejects(rotate(mortal(kube, { write, when }), clock));
      const known = await idsOf(kube);
      await rotate(kube, clock);
      const now = await idsOf(kube);
      assert.equal(now.length, 1);
      assert.notEqual(now[0], old);
      if (known.length > 1) assert.ok(known.includes(now[0] ?? ''), 'the key that was made before the crash');
    }
});

test('two operators at once: one of them writes', async () => {
  const kube = await withSecret();
  const clock = () => ({ ms: Date.parse('2026-01-01T00:00:00Z') });
  await Promise.all([rotate(kube, clock()), rotate(kube, clock())]);
  assert.equal((await idsOf(kube)).length, 1);
});

test('through the controller: both annotations are seen, told in the status, and undone', async () => {
  const kube = new MemoryKube();
  const clock = new ManualClock();
  const drained = new Set<string>();
  const none = () => Promise.reject(new Error('nobody is there'));
  await kube.request('PATCH', DEMO, {
    query: { fieldManager: 'user' },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: cluster.apiVersion, kind: 'ChatCluster', metadata: { name: 'demo', namespace: NAMESPACE }, spec: {} },
  });
  const labels = Object.fromEntries(
    Object.entries({ name: 'parley', instance: 'demo', component: 'chat', 'managed-by': 'parley-operator' }).map(([name, value]) => [
      `app.kubernetes.io/${name}`,
      value,
    ]),
  );
  for (const ordinal of [0, 1]) {
    const status = { podIP: `10.0.0.${ordinal}`, conditions: [{ type: 'Ready', status: 'True' }] };
    const metadata = { name: `demo-chat-${ordinal}`, namespace: NAMESPACE, labels };
    await kube.request('POST', pathOf(pods, NAMESPACE), { body: { apiVersion: 'v1', kind: 'Pod', metadata, status } });
  }
  const controller = new Controller({
    transport: kube,
    environment: { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' },
    ...{ watchNamespace: '', instance: 'test', log: pino({ level: 'silent' }), clock: clock.asClock() },
    ...{ readDelivery: none, readKeys: none, move: none, paces: { ask: 20 } },
    readConnections: (ip) => Promise.resolve({ connections: 5, maxConnections: 100, draining: drained.has(ip), asked: drained.has(ip) }),
    drain: (ip, wanted) => Promise.resolve(wanted ? drained.add(ip) : drained.delete(ip)),
  });
  await controller.start();
  const status = async (): Promise<ChatClusterStatus> => (await kube.request<KubeObject>('GET', DEMO))['status'] ?? {};
  const until = async (what: string, check: () => Promise<boolean> | boolean) => {
    for (const deadline = performance.now() + 30_000; !(await check());) {
      assert.ok(performance.now() < deadline, what);
      await letRun(kube, NAMESPACE);
      await clock.advance(1000);
      await settled();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const annotate = (path: string, annotations: Record<string, string | null>) =>
    kube.request('PATCH', path, { contentType, body: { metadata: { annotations } } });
  try {
    await until('the Secret', () =>
      idsOf(kube).then(
        () => true,
        () => false,
      ),
    );
    await annotate(DEMO, { [ROTATE_ANNOTATION]: 'one' });
    await until('a second key', async () => (await idsOf(kube)).length === 2);
    await until('the phase', async () => (await status()).keyRotation?.phase === 'Publishing');
    await until('the condition', async () => (await status()).conditions?.some(({ reason }) => reason === 'RotatingKey') === true);

    const pod = pathOf(pods, NAMESPACE, 'demo-chat-1');
    await annotate(pod, { [DRAIN_ANNOTATION]: 'yes' });
    await until('the order', () => drained.has('10.0.0.1'));
    await until('it is told', async () => (await status()).connections?.perReplica[1]?.drain === 'draining');
    await annotate(pod, { [DRAIN_ANNOTATION]: null });
    await until('it serves again', () => drained.size === 0);
    await until('it is told no more', async () => (await status()).connections?.perReplica[1]?.drain === undefined);
  } finally {
    await controller.stop();
  }
});

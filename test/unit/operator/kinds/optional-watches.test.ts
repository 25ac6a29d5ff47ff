// Kinds that not every API server knows: they are asked for, noticed when they come and go, and never watched while they are not there.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../../operator/src/kube/clock.ts';
import { optionalResources, pathOf } from '../../../../operator/src/kube/resources.ts';
import { ApiError, type KubeTransport, type Method } from '../../../../operator/src/kube/transport.ts';
import { OptionalWatches } from '../../../../operator/src/kinds/optional-watches.ts';
import { MemoryKube } from '../../../helpers/memory-kube.ts';

const DISCOVERY = '/apis/monitoring.coreos.com/v1';
/** plurals, or the status of the refusal */
let known: string[] | number = 404;
const kube = new MemoryKube();
const restarts: string[] = [];
let lists = 0;
let asked = 0;
let watches: OptionalWatches;

const transport: KubeTransport = {
  request: async <T>(method: Method, path: string, options?: object): Promise<T> => {
    if (path !== DISCOVERY) {
      lists++;
      return kube.request<T>(method, path, options);
    }
    asked++;
    if (typeof known === 'number') throw new ApiError(known, 'Refused', 'refused');
    return { resources: known.map((name) => ({ name })) } as T;
  },
  stream: (...args) => kube.stream(...args),
};

async function started(): Promise<OptionalWatches> {
  restarts.length = 0;
  lists = 0;
  watches = new OptionalWatches({
    ...{ transport, clock: systemClock, namespace: undefined, everyMs: 5, onChange: () => {}, onServed: () => {} },
    onRestart: (kind) => () => void restarts.push(kind),
  });
  await watches.start();
  return watches;
}
async function becomes(served: string[]): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (watches.served.join() !== served.join()) {
    if (performance.now() > deadline) assert.deepEqual(watches.served, served);
    await sleep(5);
  }
}
afterEach(() => watches.stop());

test('what is not there is not watched, what comes is, one kind at a time', async () => {
  known = 404;
  assert.deepEqual((await started()).served, []);
  known = ['podmonitors', 'podmonitors/status', 'probes'];
  await becomes(['PodMonitor']);
  known = ['podmonitors', 'prometheusrules'];
  await becomes(['PodMonitor', 'PrometheusRule']);
  assert.deepEqual([restarts, lists], [[], 2]);
});

test('what goes is forgotten; an API server that does not say changes nothing', async () => {
  known = ['podmonitors', 'prometheusrules'];
  const [podMonitors] = optionalResources;
  assert.ok(podMonitors);
  const object = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor', metadata: { name: 'demo', namespace: 'team' } };
  const labels = { 'app.kubernetes.io/managed-by': 'parley-operator' };
  await kube.request('POST', pathOf(podMonitors, 'team'), { body: { ...object, metadata: { ...object.metadata, labels } } });
  const { served } = await started();
  assert.deepEqual(served, ['PodMonitor', 'PrometheusRule']);
  assert.deepEqual(
    watches
      .reflectors()
      .get('PodMonitor')
      ?.store.list()
      .map(({ metadata }) => metadata.name),
    ['demo'],
  );
  known = 503;
  const before = asked;
  while (asked < before + 3) await sleep(5);
  assert.deepEqual(watches.served, ['PodMonitor', 'PrometheusRule']);
  known = ['prometheusrules'];
  await becomes(['PrometheusRule']);
  assert.deepEqual([...watches.reflectors().keys()], ['PrometheusRule']);
});

test('what has gone is known as soon as somebody asks; nothing has while the API server does not say', async () => {
  known = ['podmonitors', 'prometheusrules'];
  await started();
  assert.equal(await watches.kindsGone(), false);
  known = 503;
  assert.equal(await watches.kindsGone(), false);
  known = ['podmonitors'];
  assert.equal(await watches.kindsGone(), true);
  assert.deepEqual(watches.served, ['PodMonitor']);
});

// The reflector when the network and the server misbehave: it loses nothing, and never hammers the API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reflector, type ReflectorOptions } from '../../../../operator/src/kube/reflector.ts';
import {
  ApiError,
  type KubeObject,
  type KubeTransport,
  type Method,
  type RequestOptions,
} from '../../../../operator/src/kube/transport.ts';
import { MemoryKube } from '../../../helpers/memory-kube.ts';
import { ManualClock, settled } from '../manual-clock.ts';

const COLLECTION = '/api/v1/namespaces/team/configmaps';
const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'team' },
  data,
});

type Stream = KubeTransport['stream'];

/** The twin, with its answers counted, and streams that a test may replace or cut. */
class Unsteady implements KubeTransport {
  readonly kube = new MemoryKube();
  readonly lists: Record<string, string>[] = [];
  readonly watches: Record<string, string>[] = [];
  stream_: Stream = (path, query, signal) => this.kube.stream(path, query, signal);
  answer: ((query: Record<string, string>) => unknown) | undefined;
  #cut = new AbortController();

  async request<T>(method: Method, path: string, options?: RequestOptions): Promise<T> {
    if (method === 'GET') this.lists.push(options?.query ?? {});
    const answer = method === 'GET' ? this.answer?.(options?.query ?? {}) : undefined;
    return (answer as T | undefined) ?? this.kube.request<T>(method, path, options);
  }
  stream(path: string, query: Record<string, string>, signal: AbortSignal): AsyncIterable<string> {
    this.watches.push(query);
    this.#cut = new AbortController();
    return this.stream_(path, query, AbortSignal.any([signal, this.#cut.signal]));
  }
  cut(): void {
    this.#cut.abort();
  }
}

function started(more: Partial<ReflectorOptions> = {}) {
  const clock = new ManualClock();
  const transport = new Unsteady();
  const changes: string[] = [];
  const restarts: string[] = [];
  const reflector = new Reflector({
    transport,
    path: COLLECTION,
    onChange: ({ metadata }) => changes.push(metadata.name),
    onRestart: (reason) => restarts.push(reason),
    random: () => 1,
    clock: clock.asClock(),
    ...more,
  });
  const names = () =>
    reflector.store
      .list()
      .map(({ metadata }) => metadata.name)
      .sort();
  return { clock, transport, changes, restarts, reflector, names };
}

test('a cut stream: what came, changed and went meanwhile is noticed', async () => {
  const { clock, transport, reflector, changes, names } = started();
  for (const name of ['stays', 'goes']) await transport.kube.request('POST', COLLECTION, { body: configMap(name) });
  reflector.start();
  await settled();
  assert.deepEqual(names(), ['goes', 'stays']);
  transport.cut();
  await settled();
  changes.length = 0;
  await transport.kube.request('DELETE', `${COLLECTION}/goes`);
  await transport.kube.request('POST', COLLECTION, { body: configMap('comes') });
  await clock.advance(1000);
  assert.deepEqual(names(), ['comes', 'stays']);
  assert.ok(changes.includes('goes'), 'the one that went is told');
  await reflector.stop();
});

test('an object that was deleted and made anew meanwhile is the new one', async () => {
  const { clock, transport, reflector } = started();
  await transport.kube.request('POST', COLLECTION, { body: configMap('again') });
  reflector.start();
  await settled();
  transport.cut();
  await transport.kube.request('DELETE', `${COLLECTION}/again`);
  const { metadata }: KubeObject = await transport.kube.request('POST', COLLECTION, { body: configMap('again') });
  await clock.advance(1000);
  assert.equal(reflector.store.get('team/again')?.metadata.uid, metadata.uid);
  await reflector.stop();
});

test('asks for bookmarks, with the selector in list and watch, and goes on from a bookmark', async () => {
  const { clock, transport, reflector } = started({ labelSelector: 'a=b' });
  transport.stream_ = async function* (_path, query, signal) {
    if (query['resourceVersion'] !== '77')
      yield JSON.stringify({ type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: '77' } } });
    else await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  reflector.start();
  await clock.advance(1);
  assert.equal(transport.lists.length, 1, 'a watch that ends in order is no reason to list');
  assert.equal(transport.lists[0]?.['labelSelector'], 'a=b');
  assert.deepEqual(
    transport.watches.map(({ resourceVersion }) => resourceVersion),
    ['0', '77'],
  );
  for (const { allowWatchBookmarks, labelSelector, timeoutSeconds } of transport.watches) {
    assert.equal(allowWatchBookmarks, 'true');
    assert.equal(labelSelector, 'a=b');
    assert.ok(Number(timeoutSeconds) >= 300 && Number(timeoutSeconds) <= 600);
  }
  await reflector.stop();
});

test('a long list comes in chunks', async () => {
  const { transport, reflector, names } = started();
  transport.answer = ({ continue: next }) => ({
    items: [configMap(next ?? 'first')],
    metadata: { resourceVersion: '5', ...(next === 'third' ? {} : { continue: next ? 'third' : 'second' }) },
  });
  reflector.start();
  await settled();
  assert.deepEqual(names(), ['first', 'second', 'third']);
  assert.deepEqual(
    transport.lists.map(({ limit }) => limit),
    ['500', '500', '500'],
  );
  await reflector.stop();
});

test('410 as an answer lists again at once', async () => {
  const { transport, reflector, clock } = started();
  const working = transport.stream_;
  transport.stream_ = () => {
    transport.stream_ = working;
    throw new ApiError(410, 'Expired', 'too old resource version');
  };
  reflector.start();
  await settled();
  await clock.advance(1);
  assert.equal(transport.watches.length, 2);
  assert.equal(transport.lists.length, 2);
  await reflector.stop();
});

const BROKEN: [why: string, stream: Stream][] = [
  [
    'that always says 410',
    async function* () {
      yield JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } });
    },
  ],
  ['that ends at once', async function* () {}],
  [
    'that is always refused',
    () => {
      throw new ApiError(403, 'Forbidden', 'no');
    },
  ],
  [
    'that sends what is no JSON',
    async function* () {
      yield '<html>';
    },
  ],
];
for (const [why, stream] of BROKEN)
  test(`a watch ${why} is tried more and more slowly`, async () => {
    const { transport, reflector, clock, restarts } = started();
    transport.stream_ = stream;
    reflector.start();
    await clock.advance(10 * 60_000, 500);
    assert.ok(transport.lists.length <= 30, `${transport.lists.length} lists in ten minutes`);
    assert.ok(transport.watches.length <= 30, `${transport.watches.length} watches in ten minutes`);
    assert.ok(transport.lists.length >= 15, 'but not given up');
    assert.equal(restarts.length, transport.lists.length);
    await reflector.stop();
  });

test('a list that is refused with Retry-After is not asked for again before that', async () => {
  const { transport, reflector, clock, names } = started();
  transport.answer = () => {
    throw new ApiError(429, 'TooManyRequests', 'slow down', 20_000);
  };
  reflector.start();
  await clock.advance(19_000, 500);
  assert.equal(transport.lists.length, 1);
  transport.answer = undefined;
  await transport.kube.request('POST', COLLECTION, { body: configMap('late') });
  await clock.advance(2000, 500);
  assert.deepEqual(names(), ['late']);
  await reflector.stop();
});

test('the back-off begins anew after a watch that worked', async () => {
  const { transport, reflector, clock } = started();
  const working = transport.stream_;
  transport.stream_ = BROKEN[2]?.[1] ?? assert.fail();
  reflector.start();
  await clock.advance(120_000, 500);
  transport.stream_ = working;
  await clock.advance(60_000, 500);
  await transport.kube.request('POST', COLLECTION, { body: configMap('seen') });
  await settled();
  clock.sleeps.length = 0;
  transport.cut();
  await settled();
  assert.equal(clock.sleeps[0], 800);
  await reflector.stop();
});

test('a reflector that is stopped while it waits ends at once', async () => {
  const { transport, reflector, clock } = started();
  transport.answer = () => {
    throw new Error('connection refused');
  };
  reflector.start();
  await clock.advance(10_000, 500);
  await reflector.stop();
  const { length } = transport.lists;
  await clock.advance(60_000, 500);
  assert.equal(transport.lists.length, length);
});

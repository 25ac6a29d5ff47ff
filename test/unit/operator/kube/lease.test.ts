// Leader election by an injected clock, against the in-memory twin: who leads when, and that two never do at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease, type LeaseOptions } from '../../../../operator/src/kube/lease.ts';
import type { KubeObject, KubeTransport, Method, RequestOptions } from '../../../../operator/src/kube/transport.ts';
import { ManualClock } from '../manual-clock.ts';
import { MemoryKube } from '../../../helpers/memory-kube.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/parley-system/leases/parley-operator';

/** A transport that can be made to hang or to fail, as a network does. */
class Network implements KubeTransport {
  readonly kube: MemoryKube;
  state: 'up' | 'down' | 'hanging' | 'answers lost' = 'up';
  constructor(kube: MemoryKube) {
    this.kube = kube;
  }
  async request<T>(method: Method, path: string, options?: RequestOptions): Promise<T> {
    if (this.state === 'down') throw new Error('connection refused');
    if (this.state === 'hanging') return new Promise(() => {});
    const answer = await this.kube.request<T>(method, path, options);
    return this.state === 'answers lost' ? new Promise(() => {}) : answer;
  }
  stream(path: string, query: Record<string, string>, signal: AbortSignal): AsyncIterable<string> {
    return this.kube.stream(path, query, signal);
  }
}

function candidates() {
  const clock = new ManualClock();
  const kube = new MemoryKube();
  const candidate = (identity: string, more: Partial<LeaseOptions> = {}) => {
    const network = new Network(kube);
    const lease = new Lease({
      transport: network,
      namespace: 'parley-system',
      name: 'parley-operator',
      identity,
      now: () => clock.now,
      pause: (ms, signal) => clock.sleep(ms, signal),
      ...more,
    });
    return { lease, network };
  };
  const holder = async () => ((await kube.request<KubeObject>('GET', PATH))['spec'] as { holderIdentity: string }).holderIdentity;
  return { clock, kube, candidate, holder };
}

interface Outcome<T> {
  value: T | undefined;
  atMs: number | undefined;
}

/** What a promise came to and when, undefined while it is pending. */
function outcome<T>(promise: Promise<T>, clock: ManualClock): Outcome<T> {
  const seen: Outcome<T> = { value: undefined, atMs: undefined };
  void promise.then((value) => {
    seen.value = value;
    seen.atMs = clock.now;
  });
  return seen;
}

test('one of two leads; the other only after the first released', async () => {
  const { clock, candidate, holder } = candidates();
  const [a, b] = [candidate('a'), candidate('b')];
  await a.lease.acquire();
  const held = a.lease.hold();
  const waiting = b.lease.acquire();
  await clock.advance(60_000, 500);
  assert.equal(b.lease.held, false, 'a renews, so b waits for ever');
  await a.lease.release();
  assert.equal(await held, 'released');
  await clock.advance(5000, 500);
  await waiting;
  assert.equal(await holder(), 'b');
  await b.lease.release();
});

for (const state of ['down', 'hanging', 'answers lost'] as const)
  test(`a leader whose network is ${state} gives up before another may follow`, async () => {
    const { clock, candidate } = candidates();
    const [a, b] = [candidate('a'), candidate('b')];
    await a.lease.acquire();
    const held = outcome(a.lease.hold(), clock);
    const waiting = outcome(b.lease.acquire(), clock);
    await clock.advance(6000, 500);
    a.network.state = state;
    await clock.advance(60_000, 500);
    assert.equal(held.value, 'lost');
    assert.equal(b.lease.held, true);
    assert.ok(
      (held.atMs ?? Infinity) < (waiting.atMs ?? 0),
      `a gave up at ${held.atMs ?? 'never'}, b took over at ${waiting.atMs ?? 'never'}`,
    );
    await b.lease.release();
  });

test('the renew deadline counts from when the renewal was sent, not from when its answer came', async () => {
  const { clock, candidate } = candidates();
  const a = candidate('a');
  const request = a.network.request.bind(a.network);
  // Every answer takes 4 s; the first write is seen by the server at once.
  a.network.request = async <T>(method: Method, path: string, options?: RequestOptions): Promise<T> => {
    const answer = await request<T>(method, path, options);
    await clock.sleep(4000);
    return answer;
  };
  const acquired = a.lease.acquire();
  await clock.advance(8000, 500);
  await acquired;
  a.network.state = 'down';
  const held = outcome(a.lease.hold(), clock);
  await clock.advance(20_000, 500);
  assert.equal(held.value, 'lost');
  assert.ok((held.atMs ?? Infinity) < 15_000, `lost at ${held.atMs ?? 'never'}`);
});

test('a lease that somebody else holds is lost at once', async () => {
  const { clock, kube, candidate } = candidates();
  const a = candidate('a');
  await a.lease.acquire();
  const held = outcome(a.lease.hold(), clock);
  await kube.request('PATCH', PATH, { contentType: 'application/merge-patch+json', body: { spec: { holderIdentity: 'c' } } });
  await clock.advance(2500, 500);
  assert.equal(held.value, 'lost');
  assert.equal(a.lease.held, false);
});

test('a renewal that failed once is tried again', async () => {
  const { clock, candidate } = candidates();
  const a = candidate('a');
  await a.lease.acquire();
  const held = outcome(a.lease.hold(), clock);
  for (let round = 0; round < 5; round++) {
    a.network.state = 'down';
    await clock.advance(7000, 500);
    a.network.state = 'up';
    await clock.advance(3000, 500);
  }
  assert.equal(held.value, undefined);
  await a.lease.release();
});

test('another’s clock is of no matter: its times may lie a year ahead or behind', async () => {
  for (const renewTime of ['2000-01-01T00:00:00.000000Z', '2100-01-01T00:00:00.000000Z']) {
    const { clock, kube, candidate } = candidates();
    const { lease: first } = candidate('first');
    await first.acquire();
    await kube.request('PATCH', PATH, { contentType: 'application/merge-patch+json', body: { spec: { renewTime } } });
    const next = candidate('next');
    const waiting = next.lease.acquire();
    await clock.advance(14_000, 500);
    assert.equal(next.lease.held, false, renewTime);
    await clock.advance(4000, 500);
    await waiting;
    assert.equal(next.lease.held, true, renewTime);
  }
});

test('a candidate that is stopped while it waits ends', async () => {
  const { clock, candidate } = candidates();
  const [a, b] = [candidate('a'), candidate('b')];
  await a.lease.acquire();
  const waiting = assert.rejects(b.lease.acquire(), /stopped before/);
  await clock.advance(1000, 500);
  await b.lease.release();
  await waiting;
});

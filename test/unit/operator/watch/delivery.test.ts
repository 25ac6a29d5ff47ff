// What the operator makes of the canary's reports: who is asked, what is remembered, what is told, and how rarely.
import assert from 'node:assert/strict';
import { PACES } from '../../../../operator/src/paces.ts';
import { test } from 'node:test';
import { Delivery, type DeliveryReport } from '../../../../operator/src/watch/delivery.ts';
import { deliveryStatus, deliveryVerdict } from '../../../../operator/src/status/delivery.ts';
import type { PodFacts } from '../../../../operator/src/watch/pods.ts';

const report = (more: Partial<DeliveryReport> = {}): DeliveryReport => ({
  ...{ state: 'ok', reason: 'Delivering', message: 'all is well', acked: 9, sockets: 5, replicas: 3 },
  ...{ lost: 0, duplicated: 0, misordered: 0, p50Ms: 2, p99Ms: 9 },
  ...more,
});
const pod = (name: string, more: Partial<PodFacts> = {}): PodFacts => ({
  ...{ name, namespace: 'team', uid: name, cluster: 'demo', component: 'canary', ip: name, revision: undefined },
  ...{ ready: true, terminating: false, problem: undefined },
  ...more,
});

function world(pods: PodFacts[]) {
  const answers: Record<string, DeliveryReport | undefined> = {};
  const told: string[] = [];
  const clock = { ms: 0 };
  const delivery = new Delivery({
    everyMs: PACES.ask,
    pods: () => pods,
    read: async (ip) => answers[ip] ?? Promise.reject(new Error('no answer')),
    onChange: (key) => void told.push(key),
    now: () => clock.ms,
  });
  return { delivery, answers, told, clock };
}

test('a report is remembered, a change told once, and a canary that is silent is known as such', async () => {
  const { delivery, answers, told } = world([pod('a')]);
  assert.equal(delivery.of('team/demo'), undefined);
  answers['a'] = report();
  await delivery.look();
  await delivery.look();
  assert.deepEqual(told, ['team/demo']);
  answers['a'] = undefined;
  await delivery.look();
  assert.equal(delivery.of('team/demo')?.report, undefined);
  assert.equal(told.length, 2);
});

test('since when it fails is remembered over all reports that say so', async () => {
  const { delivery, answers, clock } = world([pod('a')]);
  const since = async (at: number, next: DeliveryReport) => {
    clock.ms = at;
    answers['a'] = next;
    await delivery.look();
    return delivery.of('team/demo')?.failingSinceMs;
  };
  assert.equal(await since(1, report()), undefined);
  assert.equal(await since(2, report({ state: 'failing', lost: 1 })), 2);
  assert.equal(await since(3, report({ state: 'failing', lost: 2 })), 2);
  assert.equal(await since(4, report()), undefined);
});

test('while one canary takes over from another, the one that answers counts', async () => {
  const { delivery, answers } = world([pod('new'), pod('old', { terminating: true }), pod('unborn', { ip: undefined })]);
  answers['new'] = report({ acked: 1 });
  answers['old'] = report({ acked: 1000 });
  await delivery.look();
  assert.equal(delivery.of('team/demo')?.report?.acked, 1);
});

const NOW = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T01:00:00Z');

test('the status follows counts at once, and times only when they change by more than half', () => {
  const first = deliveryStatus(report({ p50Ms: 2.2, p99Ms: 100 }), undefined, NOW);
  assert.deepEqual(first, { lost: 0, duplicated: 0, misordered: 0, p50Ms: 3, p99Ms: 100, lastChecked: '2026-01-01T00:00:00Z' });
  assert.equal(deliveryStatus(report({ p50Ms: 40, p99Ms: 140, acked: 500 }), first, LATER), first);
  // An API server gives fields back in the order of their names.
  const stored = Object.fromEntries(Object.entries(first ?? {}).sort()) as typeof first;
  assert.equal(deliveryStatus(report({ p50Ms: 40, p99Ms: 140, acked: 500 }), stored, LATER), stored);
  assert.equal(deliveryStatus(report({ p99Ms: 160 }), first, LATER)?.p99Ms, 160);
  const lost = deliveryStatus(report({ lost: 1, p99Ms: 101 }), first, LATER);
  assert.deepEqual([lost?.lost, lost?.p99Ms, lost?.lastChecked], [1, 100, '2026-01-01T01:00:00Z']);
  assert.equal(deliveryStatus(undefined, first, LATER), first);
  assert.equal(deliveryStatus(undefined, undefined, LATER), undefined);
});

test('the condition is what the canary says, or that nobody says anything', () => {
  assert.deepEqual(deliveryVerdict(true, report()), { status: 'True', reason: 'Delivering', message: 'All is well.' });
  assert.equal(deliveryVerdict(true, report({ state: 'failing', reason: 'Stalled' })).status, 'False');
  assert.equal(deliveryVerdict(true, report({ state: 'starting', reason: 'Starting' })).status, 'Unknown');
  assert.equal(deliveryVerdict(true, undefined).reason, 'CanaryAway');
  assert.match(deliveryVerdict(false, undefined).message, /spec\.monitoring\.canary\.enabled/);
});

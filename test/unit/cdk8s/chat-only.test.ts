// The sample chat-only: what runs, that nothing of it needs a part that does not, and who gets a token.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find, renderedSamples, workloads, type Workload } from './rendered.ts';

const { objects } = renderedSamples().find(({ sample }) => sample.file === 'chat-only.yaml') ?? assert.fail('there is no such sample');
const componentOf = ({ podLabels }: Workload) => podLabels['app.kubernetes.io/component'] ?? '';
const running = workloads(objects).filter(({ object, replicas }) => object.kind !== 'Job' && (replicas ?? 1) > 0);

test('chat runs with what it cannot do without, and its canary', () => {
  assert.deepEqual(running.map(componentOf).sort(), ['auth', 'canary', 'chat', 'core', 'haproxy', 'mysql', 'postgres', 'redis']);
});

test('two replicas, so that one may go', () => {
  assert.equal(running.find((each) => componentOf(each) === 'chat')?.replicas, 2);
});

test('no pod that runs is told of a part that does not', () => {
  const parts = new Set(running.map(componentOf));
  const named = running.flatMap(({ object, pod }) =>
    pod.containers
      .flatMap(({ env }) => env ?? [])
      .flatMap(({ name, value = '' }) =>
        [...value.matchAll(/\bchat-only-([a-z]+)\./g)].map(([, part = '']) => ({ pod: object.metadata.name, variable: name, part })),
      ),
  );
  assert.ok(
    named.some(({ part }) => part === 'auth'),
    'the variables are looked at',
  );
  assert.deepEqual(
    named.filter(({ part }) => !parts.has(part)),
    [],
  );
});

test('the Service that hands out tokens is there', () => {
  const { ports } = find(objects, 'Service', 'chat-only-auth')['spec'] as { ports: { port: number }[] };
  assert.ok(ports.some(({ port }) => port === 8081));
});

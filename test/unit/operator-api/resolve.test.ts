// Defaults and checks of a ChatCluster outside the API server, and the CRD's schema as a structural one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatClusterCrd, MAX_CHAT_REPLICAS, parseChatCluster } from '@parley/operator-api';

const parse = (spec: unknown) => parseChatCluster({ metadata: { name: 'demo', namespace: 'team', uid: 'u', generation: 1 }, spec });
const resolved = (spec: unknown) => {
  const parsed = parse(spec);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.cluster.spec;
};

test('an empty spec becomes a whole one', () => {
  const spec = resolved({});
  assert.equal(spec.chat.replicas, 3);
  assert.equal(spec.chat.drain.windowSeconds, 60);
  assert.equal(spec.kafka.brokers, 1);
  assert.equal(spec.mysql.flavor, 'mysql');
  assert.equal(spec.mysql.storage.whenDeleted, 'Retain');
  assert.equal(spec.monitoring.prometheus, 'none');
  assert.equal(spec.networkPolicy.enabled, true);
  assert.deepEqual(resolved(undefined), spec);
});

test('what is given stays, what is not is filled in beside it', () => {
  const { chat } = resolved({ chat: { drain: { windowSeconds: 200 } } });
  assert.deepEqual(chat.drain, { windowSeconds: 200, ratePercentPerSecond: 5 });
  assert.equal(chat.replicas, 3);
});

test('the given object is not changed', () => {
  const spec = { chat: {} };
  resolved(spec);
  assert.deepEqual(spec, { chat: {} });
});

test('a resource of a newer version keeps working: unknown fields are left out', () => {
  assert.ok(!('ofALaterVersion' in resolved({ chat: { ofALaterVersion: { maxReplicas: 9 } } }).chat));
});

test('every problem is told with its path', () => {
  const parsed = parse({ chat: { replicas: MAX_CHAT_REPLICAS + 1 }, kafka: { mode: 'carrier-pigeon' } });
  assert.ok(!parsed.ok);
  assert.ok(parsed.problems.some((problem) => problem.startsWith('spec.chat.replicas')));
  assert.ok(parsed.problems.some((problem) => problem.startsWith('spec.kafka.mode')));
});

test('an object without name and namespace is refused', () => {
  assert.equal(parseChatCluster({ spec: {} }).ok, false);
  assert.equal(parseChatCluster(null).ok, false);
});

/** Every schema below the CRD's, with its path. */
function* schemas(schema: unknown, path = ''): Generator<[string, Record<string, unknown>]> {
  if (schema === null || typeof schema !== 'object') return;
  const node = schema as Record<string, unknown>;
  yield [path, node];
  for (const [name, child] of Object.entries(node['properties'] ?? {})) yield* schemas(child, `${path}.${name}`);
  if (node['items']) yield* schemas(node['items'], `${path}[]`);
  if (typeof node['additionalProperties'] === 'object') yield* schemas(node['additionalProperties'], `${path}{}`);
}
const crd = chatClusterCrd('0.1.0');
const root = crd.spec.versions[0]?.schema.openAPIV3Schema;

test('the schema is structural: every part has a type, none has what structural schemas forbid', () => {
  for (const [path, node] of schemas(root)) {
    assert.ok(typeof node['type'] === 'string', path);
    for (const word of ['const', 'anyOf', 'allOf', 'oneOf', '$ref', 'patternProperties', '$id'])
      assert.ok(!(word in node), `${path} ${word}`);
  }
});

test('every rule of the API server has a message', () => {
  for (const [path, node] of schemas(root))
    for (const { rule, message } of (node['x-kubernetes-validations'] ?? []) as { rule: string; message: string }[])
      assert.ok(rule && message.length > 20, path);
});

test('every pattern is also told in words, for the API server shows only the expression', () => {
  for (const [path, node] of schemas(root))
    if (node['pattern'] !== undefined)
      assert.ok(
        (node['x-kubernetes-validations'] as { rule: string }[] | undefined)?.some(
          ({ rule }) => rule === `self.matches(r'${node['pattern'] as string}')`,
        ),
        path,
      );
});

test('every text and list that a rule looks at has a bound, so that the cost of the rule has one', () => {
  for (const [path, node] of schemas(root)) {
    if (!path.startsWith('.spec')) continue;
    if (node['type'] === 'array') assert.ok(node['maxItems'], path);
    if (node['type'] === 'string' && !node['enum']) assert.ok(node['maxLength'], path);
  }
});

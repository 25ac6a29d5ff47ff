// charts/ is what synth writes: no edit by hand, no forgotten `npm run synth`.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chartFiles, CLUSTER_RULES, operatorObjects } from '@parley/cdk8s';
import { resolveSpec } from '@parley/operator-api';
import { find, VERSION } from './rendered.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

test('charts/ is up to date', () => {
  const files = chartFiles(VERSION);
  for (const [path, text] of files)
    assert.ok(readFileSync(join(root, 'charts', path), 'utf8') === text, `charts/${path} differs from synth: run \`npm run synth\``);
  const committed = readdirSync(join(root, 'charts'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.yaml'));
  assert.deepEqual(committed.sort(), [...files.keys()].sort());
});

test('the version of the packages is the default of spec.version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.equal((resolveSpec({}) as { version: string }).version, version);
  assert.equal(VERSION, version);
});

test('the CRD is small enough for kubectl apply and its last-applied annotation', () => {
  assert.ok((chartFiles(VERSION).get('crds/chatclusters.yaml') ?? '').length < 200_000);
});

test('the operator reads Secrets by name only, and has no right on what it does not keep', () => {
  const verbs = (resource: string) => CLUSTER_RULES.find(({ resources }) => resources.includes(resource))?.verbs ?? [];
  assert.deepEqual(verbs('secrets'), ['create', 'get', 'patch']);
  assert.deepEqual(verbs('chatclusters'), ['get', 'list', 'watch']);
  for (const { apiGroups, resources, verbs } of CLUSTER_RULES)
    for (const word of [...apiGroups, ...resources, ...verbs]) assert.notEqual(word, '*');
});

test('the rules are in alphabetical order', () => {
  const keys = CLUSTER_RULES.map(({ apiGroups, resources }) => `${apiGroups[0]}/${resources[0]}`);
  assert.deepEqual(keys, [...keys].sort());
});

test('two operators run, one at a time', () => {
  const objects = operatorObjects(VERSION);
  assert.equal((find(objects, 'Deployment', 'parley-operator')['spec'] as { replicas: number }).replicas, 2);
  assert.ok(objects.every(({ kind }) => kind !== 'ValidatingWebhookConfiguration' && kind !== 'MutatingWebhookConfiguration'));
});

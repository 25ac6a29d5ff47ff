// charts/ is what synth writes: no edit by hand, no forgotten `npm run synth`.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { chartFiles, CLUSTER_RULES, installObjects, LEASE_RULES, NAMESPACED, operatorObjects, type KubeObject } from '@parley/cdk8s';
import { resolveSpec } from '@parley/operator-api';
import { operatorConfig } from '../../../operator/src/config.ts';
import { find, VERSION } from './rendered.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

test('charts/ is up to date', () => {
  const files = chartFiles(VERSION);
  for (const [path, text] of files)
    assert.ok(readFileSync(join(root, 'charts', path), 'utf8') === text, `charts/${path} differs from synth: run \`npm run synth\``);
  const committed = readdirSync(join(root, 'charts'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(root, 'charts'), join(entry.parentPath, entry.name)));
  assert.deepEqual(committed.sort(), [...files.keys()].sort());
});

test('Kubernetes reads what was written: it takes words such as on, off, yes and no for booleans', () => {
  for (const [path, text] of chartFiles(VERSION)) {
    if (!path.endsWith('.yaml') || path.includes('/templates/')) continue;
    const read = (version: '1.1' | '1.2') => parseAllDocuments(text, { version }).map((document) => document.toJS() as unknown);
    assert.deepEqual(read('1.1'), read('1.2'), path);
  }
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
  assert.deepEqual(verbs('chatclusters'), ['list', 'watch']);
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

test('the namespaced install has nothing outside of its namespace but the Namespace and the CRDs', () => {
  const objects = installObjects(VERSION, NAMESPACED) as KubeObject[];
  const outside = objects.filter(({ metadata }) => metadata.namespace !== 'parley').map(({ kind }) => kind);
  assert.deepEqual(outside, ['Namespace', 'CustomResourceDefinition', 'CustomResourceDefinition']);
  assert.deepEqual(find(objects, 'Role', 'parley-operator-clusters')['rules'], CLUSTER_RULES);
  assert.deepEqual(find(objects, 'Role', 'parley-operator')['rules'], LEASE_RULES);
});

test('an operator may be elsewhere than the namespace it looks after', () => {
  const objects = operatorObjects(VERSION, { namespace: 'ops', watchNamespace: 'team' });
  const { metadata, roleRef, subjects } = find(objects, 'RoleBinding', 'parley-operator-clusters') as KubeObject & {
    roleRef: { kind: string; name: string };
    subjects: object[];
  };
  assert.equal(metadata.namespace, 'team');
  assert.equal(find(objects, roleRef.kind, roleRef.name).metadata.namespace, 'team');
  assert.deepEqual(subjects, [{ kind: 'ServiceAccount', name: 'parley-operator', namespace: 'ops' }]);
  assert.equal(find(objects, 'RoleBinding', 'parley-operator').metadata.namespace, 'ops');
});

test('the values of the Helm chart obey their schema, which refuses what the operator would', () => {
  const files = chartFiles(VERSION);
  const file = (name: string): string => files.get(`helm/parley-operator/${name}`) ?? assert.fail(name);
  const schema = JSON.parse(file('values.schema.json')) as { properties: { logLevel: { enum: string[] } } };
  const values = parse(file('values.yaml')) as object;
  const valid = new Ajv({ allowUnionTypes: true }).compile(schema);
  assert.ok(valid(values), JSON.stringify(valid.errors));
  for (const wrong of [{ replica: 2 }, { watchNamespace: 'a b' }, { replicas: '2' }, { image: { name: 'x' } }, { logLevel: 'loud' }])
    assert.equal(valid({ ...values, ...wrong }), false, JSON.stringify(wrong));
  for (const level of schema.properties.logLevel.enum)
    assert.equal(operatorConfig({ LOG_LEVEL: level, POD_NAME: 'a', POD_NAMESPACE: 'b' }).logLevel, level);
});

test('every value of the Helm chart is used in a template and has a comment', () => {
  const files = chartFiles(VERSION);
  const templates = [...files].filter(([path]) => path.includes('/templates/')).map(([, text]) => text);
  const lines = (files.get('helm/parley-operator/values.yaml') ?? '').split('\n');
  const names = lines.flatMap((line, index) => {
    const name = /^(\w+):/.exec(line)?.[1];
    if (name === undefined) return [];
    assert.match(lines[index - 1] ?? '', /^# \w/, `${name} has no comment`);
    return [name];
  });
  assert.ok(names.length > 5);
  for (const name of names)
    assert.ok(
      templates.some((text) => text.includes(`.Values.${name}`)),
      `no template uses ${name}`,
    );
});

// kind/cluster/cluster.yaml with another number of workers; the Dockerfile knows every workspace.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { subnets, withWorkers } from '../../../../kind/cluster/src/cluster-config.ts';
import { productInputs } from '../../../../kind/cluster/src/product-inputs.ts';

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const text = read('kind/cluster/cluster.yaml');
const roles = (config: string) => (parse(config) as { nodes: { role: string }[] }).nodes.map(({ role }) => role);

test('the number of workers is what was asked for; the control plane stays', () => {
  assert.deepEqual(roles(withWorkers(text, 0)), ['control-plane']);
  assert.deepEqual(roles(withWorkers(text, 2)), ['control-plane', 'worker', 'worker']);
  assert.deepEqual(roles(withWorkers(text, 3)), ['control-plane', 'worker', 'worker', 'worker']);
});

test('settings of a worker are kept', () => {
  const config = 'nodes: [{ role: control-plane }, { role: worker, labels: { zone: a } }]\nnetworking: { podSubnet: p, serviceSubnet: s }';
  assert.equal(withWorkers(config, 2).match(/zone: a/g)?.length, 2);
});

test('pods and Services have ranges of their own', () => {
  assert.deepEqual(subnets(text), ['10.244.0.0/16', '10.96.0.0/16']);
});

test('what the images are made of changes with a source, not with a build', () => {
  const root = mkdtempSync(join(tmpdir(), 'parley-inputs-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  try {
    const files = [
      'Dockerfile',
      '.dockerignore',
      '.npmrc',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'kind/tools/build.mjs',
      'kind/package.json',
    ];
    for (const file of [...files, 'cdk8s/a.ts', 'operator/a.ts', 'services/chat/src/a.ts']) write(file, file);
    const before = productInputs(root, 'base');
    write('services/chat/dist/a.js', 'built');
    write('test/a.test.ts', 'not in an image');
    assert.equal(productInputs(root, 'base'), before);
    assert.notEqual(productInputs(root, 'another base'), before);
    write('services/chat/src/a.ts', 'changed');
    assert.notEqual(productInputs(root, 'base'), before);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('the Dockerfile copies the package.json of every workspace before it installs', () => {
  const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
  const dockerfile = read('Dockerfile');
  const missing = workspaces.filter((folder) => !dockerfile.includes(`COPY ${folder}/package.json ${folder}/`));
  assert.deepEqual(missing, []);
});

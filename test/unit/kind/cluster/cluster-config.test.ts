// kind/cluster.yaml with another number of workers; the Dockerfile knows every workspace.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { subnets, withWorkers } from '../../../../kind/cluster/src/cluster-config.ts';

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const text = read('kind/cluster.yaml');
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

test('the Dockerfile copies the package.json of every workspace before it installs', () => {
  const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
  const dockerfile = read('Dockerfile');
  const missing = workspaces.filter((folder) => !dockerfile.includes(`COPY ${folder}/package.json ${folder}/`));
  assert.deepEqual(missing, []);
});

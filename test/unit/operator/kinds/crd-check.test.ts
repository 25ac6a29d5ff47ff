// The CRDs that are installed against those of this operator.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatClusterCrd, chatDrillCrd } from '@parley/operator-api';
import { crdVerdict } from '../../../../operator/src/kinds/crd-check.ts';

const at = (version: string) => [chatClusterCrd(version), chatDrillCrd(version)];
/** As an operator of another schema would have it. */
const other = (version: string) =>
  at(version).map(({ metadata }) => ({ metadata: { ...metadata, annotations: { 'chat.parley.dev/schema-hash': 'another' } } }));

test('those of this operator: nothing to do, whatever version they are labelled with', () => {
  assert.deepEqual([crdVerdict(at('0.1.0')).status, crdVerdict(at('0.0.9')).reason], ['False', 'Current']);
});

test('older ones, one that is missing, and one without a hash: outdated, with the command for both ways of an install', () => {
  const { status, reason, message } = crdVerdict(other('0.0.9'));
  assert.deepEqual([status, reason], ['True', 'Outdated']);
  assert.match(
    message,
    /chatclusters\.chat\.parley\.dev and chatdrills\.chat\.parley\.dev: .*of 0\.0\.9.*kubectl apply --server-side .*helm show crds CHART/,
  );
  const [first] = at('0.1.0');
  assert.match(crdVerdict([first, undefined]).message, /^chatdrills\.chat\.parley\.dev: .*of an unknown version/);
  assert.equal(crdVerdict([{ metadata: { name: 'x' } }, at('0.1.0')[1]]).status, 'True');
});

test('newer ones, as after the first step of an upgrade: the operator is what lags behind', () => {
  for (const version of ['0.1.1', '0.10.0', '1.0.0'])
    assert.deepEqual([crdVerdict(other(version)).status, crdVerdict(other(version)).reason], ['False', 'Newer']);
  assert.equal(crdVerdict(other('0.0.12')).reason, 'Outdated');
});

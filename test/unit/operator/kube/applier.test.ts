// When an object counts as unchanged: what the API server adds or writes in another form is no change, anything else is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contains } from '../../../../operator/src/kube/applier.ts';

const SAME: [why: string, live: unknown, wanted: unknown][] = [
  ['defaults were added', { a: 1, added: true }, { a: 1 }],
  ['a quantity in another form', { cpu: '500m' }, { cpu: '0.5' }],
  ['a quantity in another unit', { memory: '1Gi' }, { memory: '1024Mi' }],
  ['an empty list left out', {}, { ingress: [] }],
  ['an empty text left out', { name: 'A' }, { name: 'A', value: '' }],
  ['an empty object left out', {}, { labels: {} }],
  ['an undefined field', {}, { a: undefined }],
];
const DIFFERENT: [why: string, live: unknown, wanted: unknown][] = [
  ['another value', { a: 1 }, { a: 2 }],
  ['a missing field', {}, { a: 1 }],
  ['another quantity', { cpu: '500m' }, { cpu: '600m' }],
  ['a longer list', { a: [1, 2] }, { a: [1] }],
  ['an emptied list', { a: [1] }, { a: [] }],
  ['another order', { args: ['a', 'b'] }, { args: ['b', 'a'] }],
  ['an emptied text', { a: 'x' }, { a: '' }],
  ['a text for a number', { a: '1x' }, { a: '1' }],
  ['a scalar for an object', { a: 'x' }, { a: { b: 1 } }],
];

for (const [why, live, wanted] of SAME) test(`unchanged: ${why}`, () => assert.ok(contains(live, wanted)));
for (const [why, live, wanted] of DIFFERENT) test(`changed: ${why}`, () => assert.ok(!contains(live, wanted)));

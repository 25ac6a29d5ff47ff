// HAProxy answers in the services' words: the codes it repeats are those of the protocol's table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodes } from '@parley/protocol';
import { PROBLEMS } from '../../../cdk8s/src/haproxy/problem.ts';

test('every code HAProxy uses is in the table of codes', () => {
  for (const { code } of Object.values(PROBLEMS)) assert.ok(Object.hasOwn(errorCodes, code), code);
});

// What an error of PostgreSQL means for a request and for work that waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@parley/kit/process';
import { postgresError, postgresFailure, type PostgresFailure } from '@parley/kit/sql';
import { isPassing } from '../../../services/worker/src/consumers/failure.ts';

const CASES: Record<string, PostgresFailure> = {
  '40P01': 'conflict',
  '40001': 'conflict',
  '55P03': 'conflict',
  '25006': 'read only',
  '53100': 'full',
  '53300': 'not now',
  '57P03': 'not now',
  '08006': 'not now',
  '23505': 'ours',
  '42P01': 'ours',
};

for (const [code, meaning] of Object.entries(CASES)) {
  test(`SQLSTATE ${code} means ${meaning}`, () => {
    const error = Object.assign(new Error('as the server says'), { code });
    assert.equal(postgresFailure(error), meaning);
    const told = postgresError(error);
    if (meaning === 'ours') return assert.equal(told, error);
    assert.ok(told instanceof AppError && told.retryAfterMs === 1000);
    assert.deepEqual([told.code, told.status], [meaning === 'conflict' ? 'overloaded' : 'unavailable', 503]);
    assert.equal(isPassing(error), true);
  });
}

test('what the server did not say is no answer of it', () => {
  for (const code of ['EPIPE', 'ECONNRESET', 'EBUSY', undefined])
    assert.equal(postgresFailure(Object.assign(new Error('x'), { code })), undefined);
  assert.equal(isPassing(new Error('x')), false);
  assert.equal(isPassing(new Error('Query read timeout')), true);
});

// Ids between text and BINARY(16).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, newId, toBinary } from '@parley/chat-store';

test('an id becomes 16 bytes and the same text again', () => {
  const id = newId();
  assert.equal(toBinary(id).length, 16);
  assert.equal(fromBinary(toBinary(id)), id);
  assert.deepEqual(toBinary(id.toUpperCase()), toBinary(id));
});

test('a UUID of any version and variant has bytes: a client may ask for a room that never was', () => {
  for (const id of ['e0a101ec-211f-2203-30fd-a204fad9975c', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])
    assert.equal(toBinary(id).toString('hex'), id.replaceAll('-', ''));
});

test('what is no UUID is refused', () => {
  for (const id of [
    '',
    'x',
    '01980a3e7c117d2f9b1e4f6f8a3b2c1d',
    '01980a3e-7c11-7d2f-9b1e-4f6f8a3b2c1',
    'g1980a3e-7c11-7d2f-9b1e-4f6f8a3b2c1d',
  ])
    assert.throws(() => toBinary(id), TypeError);
});

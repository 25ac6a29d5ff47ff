// The payload between replicas: what crosses a boundary is checked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { decodeFanout, encodeFanout } from '@parley/live';

describe('fan-out payload', () => {
  test('what is encoded is decoded again', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.jsonValue(), { minLength: 1, maxLength: 20 }), (seq, values) => {
        const frames = values.map((value) => Buffer.from(JSON.stringify(value)));
        const decoded = decodeFanout(encodeFanout({ seq, from: 'chat-1' }, frames));
        assert.deepEqual(decoded?.header, { v: 1, seq, n: frames.length, from: 'chat-1' });
        assert.deepEqual(decoded?.frames.map(String), frames.map(String));
      }),
    );
  });
  test('anything else is refused, not thrown', () => {
    for (const text of [
      '',
      '\n',
      '{}',
      '{}\n{}',
      '{"v":2,"seq":1,"n":1}\nx',
      '{"v":1,"seq":1,"n":2}\nx',
      '{"v":1,"seq":-1,"n":1}\nx',
      'null\nx',
    ]) {
      assert.equal(decodeFanout(Buffer.from(text)), undefined, text);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeFanout(Buffer.from(bytes))));
  });
});

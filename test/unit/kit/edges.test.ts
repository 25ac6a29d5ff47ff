// Client address, fan-out payload, back-off: what crosses a boundary is checked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { backoffMs, clientIp, decodeFanout, encodeFanout, parseTrustedProxies } from '@parley/kit';

describe('client address', () => {
  const trusted = parseTrustedProxies(['10.0.0.0/8', '::1']);
  test('a header from an untrusted peer is ignored', () => {
    assert.equal(clientIp('203.0.113.9', '1.2.3.4', trusted), '203.0.113.9');
  });
  test('the right-most address that is no proxy counts; what the client wrote before it does not', () => {
    assert.equal(clientIp('10.0.0.1', '6.6.6.6, 198.51.100.7, 10.2.3.4', trusted), '198.51.100.7');
  });
  test('a malformed hop ends the walk', () => {
    assert.equal(clientIp('10.0.0.1', '198.51.100.7, <script>', trusted), '10.0.0.1');
  });
  test('IPv4 in IPv6 is the IPv4 address', () => {
    assert.equal(clientIp('::ffff:10.0.0.1', '2001:db8::5', trusted), '2001:db8::5');
  });
  test('a wrong range is named', () => {
    assert.throws(() => parseTrustedProxies(['10.0.0.0/99']), /10\.0\.0\.0\/99 is not an address range/);
  });
});

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

describe('back-off', () => {
  test('grows, stays between half and all, and has an end', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const full = Math.min(5000, 100 * 2 ** Math.min(attempt, 20));
        const delay = backoffMs(attempt, { random: () => random });
        assert.ok(delay >= Math.floor(full / 2) && delay <= full);
      }),
    );
  });
});

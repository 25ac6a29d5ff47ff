// The client's address: what crosses a boundary is checked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientIp, parseTrustedProxies } from '@parley/kit/http';

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

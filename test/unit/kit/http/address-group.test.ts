// What a limit by address counts as one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressGroup } from '@parley/kit/http';

test('an IPv4 address stands for itself, an IPv6 address for its /64', () => {
  assert.equal(addressGroup('203.0.113.7'), '203.0.113.7');
  assert.equal(addressGroup('::ffff:203.0.113.7'), '203.0.113.7');
  assert.equal(addressGroup('2001:db8:0:5:1:2:3:4'), '2001:db8:0:5::/64');
  assert.equal(addressGroup('2001:db8:0:5::9'), addressGroup('2001:db8:0:5:ffff::1'));
  assert.notEqual(addressGroup('2001:db8:0:5::9'), addressGroup('2001:db8:0:6::9'));
  assert.equal(addressGroup(''), '');
});

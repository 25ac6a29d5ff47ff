// The list of revoked tokens: what it finds, what it forgets, and what goes when it is full.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RevocationList, REVOCATIONS_MAX, type Revocation } from '@parley/kit/tokens';

const revoked = (jti: string, until_ms: number): Revocation => ({ kind: 'token', id: jti, before_ms: 0, until_ms, final: false });
const known = (list: RevocationList, jti: string): boolean => list.find({ userId: 1, sid: 'none', jti, issuedAtMs: 1 }) !== undefined;

test('one more than it holds: the one whose token ends soonest goes, whenever it was told', () => {
  const list = new RevocationList();
  list.add(revoked('long', 9_000_000));
  list.add(revoked('soonest', 1000));
  for (let index = list.size; index < REVOCATIONS_MAX; index++) list.add(revoked(`t${index}`, 2000 + index));
  assert.equal(list.size, REVOCATIONS_MAX);
  assert.ok(known(list, 'long') && known(list, 'soonest'), 'all are known up to the bound');
  list.add(revoked('one more', 5000));
  assert.equal(list.size, REVOCATIONS_MAX);
  assert.ok(known(list, 'long'), 'the oldest stays: its token would live on');
  assert.ok(known(list, 'one more'));
  assert.equal(known(list, 'soonest'), false);
  list.add(revoked('over already', 1));
  assert.equal(known(list, 'over already'), false, 'also when it is the new one');
});

test('a later end of the same token counts, not the one told first', () => {
  const list = new RevocationList();
  list.add(revoked('a', 1000));
  list.add(revoked('b', 1500));
  assert.equal(list.add({ ...revoked('a', 2000), before_ms: 1 }), true);
  list.forgetExpired(1500);
  assert.deepEqual([known(list, 'a'), known(list, 'b'), list.size], [true, false, 1]);
  list.forgetExpired(1999);
  assert.equal(known(list, 'a'), true);
  list.forgetExpired(2000);
  assert.equal(list.size, 0);
});

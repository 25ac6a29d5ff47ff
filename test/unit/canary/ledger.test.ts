// The canary's books: what counts as lost, doubled and out of order, and what does not.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Ledger } from '@parley/canary';

const LIMIT_MS = 1000;

describe('the ledger', () => {
  let ledger: Ledger;
  const join = (socket: string, seq: number, atMs = 0, recovered = false) => ledger.joined(socket, { seq, recovered, atMs });
  const arrives = (socket: string, ...seqs: number[]) => seqs.map((seq) => ledger.received(socket, { seq, id: `m${seq}` }));
  beforeEach(() => {
    ledger = new Ledger(LIMIT_MS);
    join('a', 10);
    join('b', 10);
  });

  test('what arrives everywhere once and in order counts as nothing', () => {
    for (const seq of [11, 12, 13]) {
      ledger.acked(`m${seq}`, seq, 0);
      assert.deepEqual([...arrives('a', seq), ...arrives('b', seq)], ['fine', 'fine']);
    }
    ledger.look(LIMIT_MS * 2);
    assert.deepEqual(ledger.counts, { lost: 0, duplicated: 0, misordered: 0 });
  });

  test('an acked message that a joined socket has not reached in time is lost, once for each socket', () => {
    ledger.acked('m11', 11, 0);
    arrives('a', 11);
    ledger.look(LIMIT_MS);
    assert.equal(ledger.counts.lost, 0);
    ledger.look(LIMIT_MS + 1);
    ledger.look(LIMIT_MS * 3);
    assert.equal(ledger.counts.lost, 1);
  });

  test('a message that nobody was told about may be missing', () => {
    ledger.look(LIMIT_MS * 2);
    assert.equal(ledger.counts.lost, 0);
  });

  test('a socket that is away misses nothing until it has come back and had its time', () => {
    ledger.left('b');
    ledger.acked('m11', 11, 0);
    arrives('a', 11);
    ledger.look(LIMIT_MS * 5);
    assert.equal(ledger.counts.lost, 0);
    assert.equal(ledger.lastOf('b'), 10);
    join('b', 11, LIMIT_MS * 5, true);
    ledger.look(LIMIT_MS * 6);
    assert.equal(ledger.counts.lost, 0);
    ledger.look(LIMIT_MS * 6 + 1);
    assert.equal(ledger.counts.lost, 1);
  });

  test('a resume that replays what was missed counts as nothing', () => {
    ledger.left('b');
    for (const seq of [11, 12]) ledger.acked(`m${seq}`, seq, 0);
    arrives('a', 11, 12);
    join('b', 12, LIMIT_MS * 2, true);
    arrives('b', 11, 12, 13);
    ledger.look(LIMIT_MS * 9);
    assert.deepEqual(ledger.counts, { lost: 0, duplicated: 0, misordered: 0 });
  });

  test('a position that was seen before is a duplicate', () => {
    arrives('a', 11, 11);
    assert.equal(ledger.counts.duplicated, 1);
  });

  test('a second position for the id of a message is a duplicate', () => {
    ledger.acked('m', 11, 0);
    ledger.acked('m', 11, 0);
    assert.equal(ledger.counts.duplicated, 0);
    ledger.received('a', { seq: 11, id: 'm' });
    ledger.received('a', { seq: 12, id: 'm' });
    assert.equal(ledger.counts.duplicated, 1);
  });

  test('a position too far is out of order, counted once, and asks for a repair; what the repair brings is fine', () => {
    assert.deepEqual(arrives('a', 11, 13, 14), ['fine', 'rejoin', 'fine']);
    assert.equal(ledger.counts.misordered, 1);
    assert.equal(ledger.lastOf('a'), 11);
    join('a', 14, 0, true);
    assert.deepEqual(arrives('a', 12, 13, 14), ['fine', 'fine', 'fine']);
    assert.deepEqual(ledger.counts, { lost: 0, duplicated: 0, misordered: 1 });
  });

  test('a join that did not recover starts anew: another database tells other positions', () => {
    join('a', 3, 0, false);
    assert.equal(ledger.lastOf('a'), 3);
    arrives('a', 4);
    assert.deepEqual(ledger.counts, { lost: 0, duplicated: 0, misordered: 0 });
  });

  test('a socket that will not come back is no reason to remember, and loses nothing', () => {
    ledger.acked('m11', 11, 0);
    arrives('a', 11);
    ledger.forget('b');
    ledger.look(LIMIT_MS * 2);
    assert.equal(ledger.counts.lost, 0);
  });
});

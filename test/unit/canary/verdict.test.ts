// When delivery counts as healthy, and what is said when it does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKEN_MS, STALLED_MS, verdict, type VerdictInput } from '../../../services/canary/src/domain/verdict.ts';

const fine: VerdictInput = {
  nowMs: 1_000_000,
  startedMs: 0,
  ackedMs: 1_000_000,
  counts: { lost: 0, duplicated: 0, misordered: 0 },
  brokenMs: undefined,
  unreachable: new Map(),
  obstacle: undefined,
};
const reasonOf = (change: Partial<VerdictInput>) => verdict({ ...fine, ...change }).reason;

test('all is well', () => assert.equal(verdict(fine).state, 'ok'));

test('a broken promise is told for ten minutes, with its counts', () => {
  const counts = { lost: 2, duplicated: 1, misordered: 0 };
  const { state, message } = verdict({ ...fine, counts, brokenMs: fine.nowMs - BROKEN_MS + 1 });
  assert.equal(state, 'failing');
  assert.match(message, /2 lost, 1 doubled and 0 out of order/);
  assert.equal(reasonOf({ counts, brokenMs: fine.nowMs - BROKEN_MS }), 'Delivering');
});

test('a minute without an ack is a stall, with its cause; at the start it is a start', () => {
  assert.equal(reasonOf({ ackedMs: fine.nowMs - STALLED_MS }), 'Delivering');
  assert.match(verdict({ ...fine, ackedMs: fine.nowMs - STALLED_MS - 1, obstacle: 'no login' }).message, /acked for 60 s: no login/);
  assert.equal(reasonOf({ ackedMs: undefined, startedMs: fine.nowMs - 5 }), 'Starting');
  assert.equal(reasonOf({ ackedMs: undefined, startedMs: fine.nowMs - STALLED_MS - 1 }), 'Stalled');
});

test('a replica that takes no socket for a minute is named', () => {
  const since = (ms: number) => new Map([['10.0.0.7', fine.nowMs - ms]]);
  assert.equal(reasonOf({ unreachable: since(STALLED_MS) }), 'Delivering');
  assert.match(verdict({ ...fine, unreachable: since(STALLED_MS + 1) }).message, /10\.0\.0\.7/);
});

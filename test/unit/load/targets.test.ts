// The benchmark's verdicts: medians, quiet runs, ratios to the floor.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cell } from '../../load/cell.ts';
import { quietest, spreadOf } from '../../load/spread.ts';
import { rowsOf, verdictOf } from '../../load/targets.ts';

function cell(subject: Cell['subject'], cpuSeconds: number, more: Partial<Cell> = {}): Cell {
  return {
    workload: 'fan1000',
    subject,
    round: 1,
    others: 0,
    generatorCores: 0.1,
    cpu: { chat: cpuSeconds, mysql: 0.1, redis: 0.1, generator: 9, haproxy: 9 },
    seconds: 4,
    faults: 0,
    problem: '',
    messages: 100,
    deliveries: 100_000,
    delivery: { p50: 1, p99: 9, max: 20 },
    ...more,
  };
}
const find = (cells: Cell[], text: string) => rowsOf(cells).find(({ measure }) => measure.includes(text)) ?? assert.fail(text);

describe('spread', () => {
  it('is the median with the range', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3, runs: 3 });
    assert.deepEqual(spreadOf([4, 1, NaN]), { median: 2.5, min: 1, max: 4, runs: 2 });
    assert.equal(spreadOf([]), undefined);
  });

  it('leaves disturbed runs out when there are others', () => {
    const runs = [{ others: 0.1 }, { others: 0.9 }];
    assert.deepEqual(quietest(runs), [{ others: 0.1 }]);
    assert.equal(quietest([{ others: 0.9 }, { others: 0.5 }]).length, 2);
  });
});

describe('verdicts', () => {
  it('tells apart what meets a target, what is near, what misses', () => {
    const lower = { bound: 10, better: 'lower' as const };
    assert.equal(verdictOf(10, lower), 'meets');
    assert.equal(verdictOf(13, lower), 'within 1.3x');
    assert.equal(verdictOf(13.1, lower), 'misses');
    assert.equal(verdictOf(8, { bound: 10, better: 'higher' }), 'within 1.3x');
    assert.equal(verdictOf(7, { bound: 10, better: 'higher' }), 'misses');
    assert.equal(verdictOf(undefined, lower), 'not measured');
    assert.equal(verdictOf(1, undefined), 'no target');
  });

  it('counts chat, database and Redis, not the generator and not HAProxy', () => {
    const row = find([cell('parley', 0.6)], 'CPU per delivery, total');
    assert.equal(row.parley?.median, 8);
    assert.equal(row.verdict, 'meets');
  });

  it('compares the chat process with the bare server of the same runs', () => {
    const row = find([cell('parley', 0.6), cell('uws', 0.5)], 'against the bare server');
    assert.ok(Math.abs((row.parley?.median ?? 0) - 1.2) < 1e-9);
    assert.equal(row.verdict, 'within 1.3x');
  });

  it('compares the ratio to the floor with the ratio that the target had where it was set', () => {
    const floor = cell('uws', 1, { cpu: { chat: 1 } });
    const row = find([cell('parley', 1.2), floor], 'CPU per delivery, total');
    assert.equal(row.verdict, 'misses');
    assert.equal(row.ratio?.value.toFixed(6), '1.400000');
    assert.equal(row.ratio?.verdict, 'meets');
  });

  it('counts the faults of every run, also of a disturbed one', () => {
    const row = find([cell('parley', 1, { others: 2, faults: 1 }), cell('parley', 1)], 'lost');
    assert.equal(row.parley?.median, 1);
    assert.equal(row.verdict, 'misses');
  });
});

// The ramp of the benchmark: which rate comes next, which step counts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bestStep, holds, nextRate, type Step } from '../../load/ramp.ts';

const rates = [50, 100, 200];
const step = (rate: number, more: Partial<Step> = {}): Step => ({
  rate,
  delivered: rate * 1000,
  offered: rate * 1000,
  p99Ms: 10,
  faults: 0,
  refused: 0,
  ...more,
});
const slow = (rate: number) => step(rate, { p99Ms: 100 });

describe('ramp', () => {
  it('goes through the rates while the steps hold, and ends after the last', () => {
    assert.equal(nextRate(rates, []), 50);
    assert.equal(nextRate(rates, [step(50)]), 100);
    assert.equal(nextRate(rates, [step(50), step(100), step(200)]), undefined);
  });

  it('tries a slow step three times', () => {
    assert.equal(nextRate(rates, [step(50), slow(100)]), 100);
    assert.equal(nextRate(rates, [step(50), slow(100), slow(100)]), 100);
    assert.equal(nextRate(rates, [step(50), slow(100), slow(100), slow(100)]), undefined);
    assert.equal(nextRate(rates, [step(50), slow(100), step(100)]), 200);
  });

  it('ends at once when something was lost', () => {
    assert.equal(nextRate(rates, [step(50, { faults: 1 })]), undefined);
  });

  it('counts only steps that kept up', () => {
    assert.equal(holds(step(50, { delivered: 47_000 })), false);
    assert.equal(bestStep([step(50), step(100), slow(200)])?.rate, 100);
    assert.equal(holds(step(50, { refused: 1 })), false);
    assert.equal(bestStep([slow(50)]), undefined);
  });
});

// How the process of the operator ends, and with which exit code.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { endWith } from '../../../operator/src/ending.ts';
import type { Operator } from '../../../operator/src/service.ts';
import { ManualClock, settled } from './manual-clock.ts';

const never = new Promise<never>(() => {});

function ended(operator: Partial<Pick<Operator, 'done' | 'stop'>>) {
  const clock = new ManualClock();
  const codes: number[] = [];
  const lines: string[] = [];
  const handlers = new Map<string, () => void>();
  endWith(
    { done: never, stop: () => never, ...operator },
    { once: (signal, run) => handlers.set(signal, run), exit: (code) => void codes.push(code) },
    { log: pino({}, { write: (line: string) => void lines.push(line) }), clock: clock.asClock() },
  );
  return { clock, codes, lines, signal: (name: string) => handlers.get(name)?.() };
}

test('work that fails ends the process with 1, and the log says why', async () => {
  const { codes, lines } = ended({ done: Promise.reject(new Error('a bug in the controller')) });
  await settled();
  assert.deepEqual(codes, [1]);
  assert.match(lines.join(''), /a bug in the controller/);
});

test('a lost lease ends the process with 1', async () => {
  const { codes } = ended({ done: Promise.resolve('lost') });
  await settled();
  assert.deepEqual(codes, [1]);
});

for (const name of ['SIGTERM', 'SIGINT'])
  test(`${name} stops in order and ends with 0`, async () => {
    let stops = 0;
    const { codes, signal } = ended({ stop: async () => void stops++ });
    signal(name);
    await settled();
    assert.deepEqual([stops, codes], [1, [0]]);
  });

test('a stop that never ends is cut off after 20 s with 1, and the log says so', async () => {
  const { clock, codes, lines, signal } = ended({});
  signal('SIGTERM');
  await settled();
  await clock.advance(19_999, 1000);
  assert.deepEqual(codes, []);
  await clock.advance(1);
  assert.deepEqual(codes, [1]);
  assert.match(lines.join(''), /took too long/);
});

test('a stop that fails ends with 1', async () => {
  const { codes, lines, signal } = ended({ stop: () => Promise.reject(new Error('no answer')) });
  signal('SIGTERM');
  await settled();
  assert.deepEqual(codes, [1]);
  assert.match(lines.join(''), /no answer/);
});

test('a stop while the lease is waited for is no failure of the work', async () => {
  let fail!: (error: Error) => void;
  const done = new Promise<never>((_, reject) => (fail = reject));
  const { codes, signal } = ended({ done, stop: async () => fail(new Error('stopped before the lease was acquired')) });
  signal('SIGTERM');
  await settled();
  assert.deepEqual(codes, [0]);
});

// Progress lines and the text of a failed program.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureText } from '../../../../kind/cluster/src/programs.ts';
import { progressLine } from '../../../../kind/cluster/src/progress.ts';

test('a line begins with the whole seconds since the start, further lines are indented below it', () => {
  assert.equal(progressLine(7999, 'building images', false), '    7 s  building images');
  assert.equal(progressLine(61_000, 'waits for\n- redis', false), '   61 s  waits for\n         - redis');
});

test('only a terminal gets colour', () => {
  const escape = String.fromCharCode(27);
  assert.ok(!progressLine(0, 'x', false).includes(escape));
  assert.equal(progressLine(0, 'x', true).replaceAll(escape, '<'), '<[2m    0 s<[0m  x');
});

test('a failure names the program, the exit code and the last lines it wrote', () => {
  const output = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n');
  const text = failureText('/cache/bin/kind', ['create', 'cluster'], 1, output);
  assert.match(text, /^"kind create cluster" failed \(1\):\n/);
  assert.match(text, /line 39$/);
  assert.doesNotMatch(text, /line 5\n/);
});

test('a program that is missing is said to be missing', () => {
  assert.match(failureText('kubectl', ['get'], 127, ''), /not installed, or not on the PATH/);
});

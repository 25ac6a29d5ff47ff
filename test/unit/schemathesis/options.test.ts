// Options of npm run schemathesis.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optionsOf } from '../../schemathesis/options.ts';

test('without options: gateway, auth and core, a minute each', () => {
  assert.deepEqual(optionsOf([]), { services: ['gateway', 'auth', 'core'], seconds: 60, examples: 20, seed: undefined });
});

test('services, time, examples and seed can be chosen', () => {
  const options = optionsOf(['--service', 'core,worker', '--seconds', '5', '--examples', '7', '--seed', '9']);
  assert.deepEqual(options, { services: ['core', 'worker'], seconds: 5, examples: 7, seed: 9 });
});

test('help is no run', () => assert.equal(optionsOf(['--help']), undefined));

test('what is no service, no number or no option is refused', () => {
  for (const wrong of [['--service', 'chat'], ['--seconds', '0'], ['--examples', 'many'], ['--sed', '1'], ['more']])
    assert.throws(() => optionsOf(wrong), wrong.join(' '));
});

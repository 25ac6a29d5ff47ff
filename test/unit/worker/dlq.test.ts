// The command for dead letters, started as a person starts it: what it answers before it asks Kafka anything.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { EXIT_CONFIG, EXIT_USAGE } from '@parley/kit/run';
import { program, root } from '../../helpers/program.ts';

function run(args: readonly string[], env: Record<string, string> = {}) {
  const command = [...program('services/worker/src/dlq-main.ts'), ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', ...env } });
}

test('a wrong call is told with the usage and ends as everywhere else', () => {
  for (const args of [[], ['list', 'nothing-of-ours']]) {
    const { status, stderr } = run(args);
    assert.equal(status, EXIT_USAGE, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, /usage: dlq-main\.js list/);
  }
});

test('help is no mistake, and settings that are missing or do not fit are told from a wrong call', () => {
  assert.equal(run(['--help']).status, 0);
  assert.equal(run(['list', 'users']).status, EXIT_CONFIG);
  const login = run(['list', 'users'], { KAFKA_BROKERS: '127.0.0.1:1', KAFKA_SASL_MECHANISM: 'PLAIN' });
  assert.equal(login.status, EXIT_CONFIG);
  assert.match(login.stderr, /KAFKA_USER is missing/);
});

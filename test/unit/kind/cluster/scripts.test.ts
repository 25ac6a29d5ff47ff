// The scripts of the offline path and of the load-balance test: bash can read all of them, and shellcheck has nothing to say where it is
// installed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = join(import.meta.dirname, '../../../../kind/offline');
const offline = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => path.endsWith('.sh') || readFileSync(path, 'utf8').startsWith('#!'));
const scripts = [...offline, join(import.meta.dirname, '../../../test-load-balance.sh')];

test('bash reads every script', () => {
  assert.ok(scripts.length > 10);
  for (const script of scripts) {
    const { status, stderr } = spawnSync('bash', ['-n', script], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
});

const missing = spawnSync('shellcheck', ['--version']).error !== undefined;

test('shellcheck finds nothing', { skip: missing && 'shellcheck is not installed' }, () => {
  const { status, stdout } = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

// What `npm run kind` takes from its arguments and the environment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideGround } from '../../../../kind/cluster/src/engine.ts';
import { chooseFlavor, upOptions } from '../../../../kind/cluster/src/options.ts';

test('the option wins over the variable, and the variable over the default', () => {
  assert.equal(upOptions({}, {}).workers, 1);
  assert.equal(upOptions({}, { PARLEY_KIND_WORKERS: '0' }).workers, 0);
  assert.equal(upOptions({ workers: '3' }, { PARLEY_KIND_WORKERS: '0' }).workers, 3);
});

test('a wrong value is refused with the name of what holds it', () => {
  assert.throws(() => upOptions({ workers: '-1' }, {}), /--workers must be a whole number from 0 to 8/);
  assert.throws(() => upOptions({}, { PARLEY_KIND_WORKERS: 'two' }), /PARLEY_KIND_WORKERS must be a whole number/);
  assert.throws(() => upOptions({ flavor: 'oracle' }, {}), /--flavor must be mysql or mariadb/);
  assert.throws(() => upOptions({}, { PARLEY_OFFLINE: 'maybe' }), /PARLEY_OFFLINE must be 1/);
});

test('without a word about the flavor, the ChatCluster that exists decides', () => {
  assert.equal(upOptions({}, {}).flavor, undefined);
  assert.equal(upOptions({ flavor: 'mariadb' }, {}).flavor, 'mariadb');
  assert.equal(chooseFlavor(undefined, undefined), 'mysql');
  assert.equal(chooseFlavor(undefined, 'mariadb'), 'mariadb');
  assert.equal(chooseFlavor('mariadb', undefined), 'mariadb');
  assert.throws(() => chooseFlavor('mariadb', 'mysql'), /runs on mysql.*\nRun "npm run kind:down"/);
});

const none = { docker: false, podman: false, existing: undefined };

test('docker is preferred, podman taken where it is alone; the registry is asked unless PARLEY_OFFLINE decides', () => {
  assert.deepEqual(decideGround(undefined, { ...none, docker: true, podman: true }), { engine: 'docker', offline: 'try' });
  assert.deepEqual(decideGround(undefined, { ...none, podman: true }), { engine: 'podman', offline: 'try' });
  assert.deepEqual(decideGround(false, { ...none, docker: true }), { engine: 'docker', offline: false });
  assert.deepEqual(decideGround(true, { ...none, docker: true }), { engine: 'podman', offline: true });
});

test('with neither engine the offline path, which installs podman, is tried; forbidden, it is an error with the next step', () => {
  assert.deepEqual(decideGround(undefined, none), { engine: 'podman', offline: 'try' });
  assert.throws(() => decideGround(false, none), /Start Docker, or install podman/);
});

test('a cluster that runs stays what it is', () => {
  const existing = { engine: 'podman', offline: true } as const;
  assert.deepEqual(decideGround(undefined, { ...none, docker: true, existing }), existing);
  assert.throws(() => decideGround(false, { ...none, existing }), /npm run kind:down/);
});

// Which runs of the backups are told, and which are not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedBackups } from '../../../../operator/src/watch/backup-runs.ts';
import type { KubeObject } from '../../../../operator/src/kube/transport.ts';

const cronJob = (name: string): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name, namespace: 'team', uid: name },
});
const FAILED = { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
const COMPLETE = { type: 'Complete', status: 'True' };

function job(name: string, of: string, more: { hour?: number; condition?: object } = {}): KubeObject {
  const { hour = 3, condition } = more;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...{ name, namespace: 'team', creationTimestamp: `2026-01-01T0${hour}:00:00Z` },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: of, uid: of }],
    },
    status: condition ? { conditions: [condition] } : {},
  };
}

test('the newest run counts, whatever the others did', () => {
  const runs = (first: object, second: object | undefined) => [
    cronJob('demo-backup-mysql'),
    job('b', 'demo-backup-mysql', { hour: 4, ...(second ? { condition: second } : {}) }),
    job('z', 'demo-backup-mysql', { hour: 3, condition: first }),
  ];
  assert.deepEqual(failedBackups(runs(FAILED, COMPLETE)), []);
  assert.deepEqual(failedBackups(runs(FAILED, undefined)), []);
  assert.equal(failedBackups(runs(COMPLETE, FAILED)).length, 1);
});

test('a failure says which, why, that earlier ones are there, and where to read more', () => {
  const [text = '', ...others] = failedBackups([
    cronJob('demo-backup-mysql'),
    cronJob('demo-backup-postgres'),
    job('mine', 'demo-backup-postgres', { condition: FAILED }),
    job('good', 'demo-backup-mysql', { condition: COMPLETE }),
  ]);
  assert.equal(
    text,
    'The last backup of demo-backup-postgres failed (BackoffLimitExceeded: Job has reached the specified backoff limit), earlier ones are kept. Read: kubectl -n team logs job/mine --all-containers',
  );
  assert.deepEqual(others, []);
});

test('Jobs of others, and a condition that does not hold, are no failures', () => {
  const migration: KubeObject = {
    ...job('migrate', 'x', { condition: FAILED }),
    metadata: { name: 'demo-backup-mysql-1', namespace: 'team' },
  };
  assert.deepEqual(failedBackups([cronJob('demo-backup-mysql'), migration]), []);
  assert.deepEqual(
    failedBackups([cronJob('demo-backup-mysql'), job('a', 'demo-backup-mysql', { condition: { ...FAILED, status: 'False' } })]),
    [],
  );
});

test('without backups nothing is told, also of what earlier ones left', () => {
  assert.deepEqual(failedBackups([job('a', 'demo-backup-mysql', { condition: FAILED })]), []);
});

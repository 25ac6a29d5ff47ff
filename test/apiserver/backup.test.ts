// Backups on a real API server: what the operator makes with its own rights, and the volume that it leaves alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ownedResource, pathOf } from '../../operator/src/kube/resources.ts';
import type { KubeObject } from '../../operator/src/kube/transport.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

describe('backups by the operator', () => {
  const { get, exists, gone, apply, becomes, makeAllReady, restartWritesNothing, quiet, writes, server, admin, namespace } =
    operatorWorld();

  const size = async (): Promise<string | undefined> =>
    ((await get('PersistentVolumeClaim', 'demo-backup'))?.['spec'] as { resources: { requests: { storage: string } } } | undefined)
      ?.resources.requests.storage;
  const patch = (object: object, subresource?: string): Promise<KubeObject> =>
    admin().request('PATCH', pathOf(ownedResource('PersistentVolumeClaim'), namespace(), 'demo-backup', subresource), {
      contentType: 'application/merge-patch+json',
      body: object,
    });

  it('are CronJobs of the ChatCluster, and a volume that belongs to nobody; the cluster is ready without a run', async () => {
    await apply({ backup: {} });
    await makeAllReady();
    const uid = (await get('ChatCluster', 'demo'))?.metadata.uid;
    for (const [kind, name] of [
      ['CronJob', 'demo-backup-mysql'],
      ['CronJob', 'demo-backup-postgres'],
      ['ConfigMap', 'demo-backup'],
      ['NetworkPolicy', 'demo-backup'],
    ] as const)
      assert.equal((await exists(kind, name)).metadata.ownerReferences?.[0]?.uid, uid, name);
    assert.equal((await exists('PersistentVolumeClaim', 'demo-backup')).metadata.ownerReferences, undefined);
    await restartWritesNothing();
  });

  it('run in pods that a restricted namespace takes', async () => {
    await apply({ backup: {} });
    const { spec } = await exists('CronJob', 'demo-backup-postgres');
    const { jobTemplate } = spec as { jobTemplate: { spec: { template: { metadata: { labels: object }; spec: object } } } };
    const { template } = jobTemplate.spec;
    await admin().request('POST', `/api/v1/namespaces/${namespace()}/pods`, {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'run', ...template.metadata }, spec: template.spec },
      query: { dryRun: 'All' },
    });
  });

  it('are restored by Jobs that the API server takes as they are documented', async () => {
    const page = readFileSync(
      join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'operating', 'backup-and-restore.md'),
      'utf8',
    );
    const jobs = [...page.matchAll(/^ {3}```yaml\n(.*?)^ {3}```$/gms)].map(([, text = '']) => text);
    assert.equal(jobs.length, 2);
    for (const job of jobs)
      assert.match(
        await server().kubectl(['-n', namespace(), 'apply', '--dry-run=server', '--validate=strict', '-f', '-'], job),
        /created/,
      );
  });

  it('that are no longer asked for go, and the volume stays', async () => {
    await apply({ backup: {} });
    await exists('CronJob', 'demo-backup-postgres');
    const { metadata } = await exists('PersistentVolumeClaim', 'demo-backup');
    await apply({});
    for (const name of ['demo-backup-mysql', 'demo-backup-postgres']) await gone('CronJob', name);
    await gone('ConfigMap', 'demo-backup');
    await quiet();
    assert.equal((await get('PersistentVolumeClaim', 'demo-backup'))?.metadata.uid, metadata.uid);
    assert.deepEqual(
      writes().filter((write) => write.startsWith('DELETE') && write.includes('persistentvolumeclaims')),
      [],
    );
  });

  it('use a volume that a person has grown, and one that was there before', async () => {
    await server().kubectl(['apply', '-f', '-'], GROWING);
    await apply({ backup: { storage: { size: '1Gi', class: 'growing' } } });
    await exists('PersistentVolumeClaim', 'demo-backup');
    await patch({ spec: { volumeName: 'one' } });
    await patch({ status: { phase: 'Bound', capacity: { storage: '1Gi' } } }, 'status');
    await patch({ spec: { resources: { requests: { storage: '5Gi' } } } });
    await apply({ backup: { keep: 3, storage: { size: '1Gi', class: 'growing' } } });
    const keep = async () => JSON.stringify((await get('CronJob', 'demo-backup-mysql'))?.['spec']).includes('{"name":"KEEP","value":"3"}');
    await eventually('the new number', keep);
    await apply({});
    await gone('CronJob', 'demo-backup-mysql');
    await apply({ backup: { storage: { size: '2Gi' } } });
    await exists('CronJob', 'demo-backup-mysql');
    await quiet();
    assert.equal(await size(), '5Gi');
    assert.equal((await becomes('Rendered', 'True')).status, 'True');
    assert.equal((await becomes('Ready', 'False')).reason, 'DependenciesNotReady');
  });

  it('that failed make the ChatCluster Degraded until one succeeds', async () => {
    // A claim without a class would be what is told: this API server has no default one.
    await server().kubectl(['apply', '-f', '-'], GROWING);
    await apply({ backup: { storage: { class: 'growing' } } });
    await makeAllReady();
    const { metadata } = await exists('CronJob', 'demo-backup-mysql');
    const run = async (name: string) => {
      // As the controller of CronJobs does it.
      await server().kubectl(['-n', namespace(), 'create', 'job', '--from=cronjob/demo-backup-mysql', name]);
      const [owner] = (await exists('Job', name)).metadata.ownerReferences ?? [];
      assert.equal(owner?.uid, metadata.uid);
    };
    const end = (name: string, ends: string[]) => {
      const now = '2026-01-01T00:00:00Z';
      const conditions = ends.map((type) => ({ type, status: 'True', lastTransitionTime: now, reason: 'BackoffLimitExceeded' }));
      const done = ends.includes('Complete') ? { completionTime: now, succeeded: 1 } : { failed: 3 };
      return admin().request('PATCH', pathOf(ownedResource('Job'), namespace(), name, 'status'), {
        contentType: 'application/merge-patch+json',
        body: { status: { startTime: now, conditions, ...done } },
      });
    };
    await run('demo-run-1');
    await end('demo-run-1', ['FailureTarget', 'Failed']);
    const { message } = await becomes('Degraded', 'True', 'BackupFailed');
    assert.match(message, /demo-backup-mysql failed .*kubectl -n team-\d+ logs job\/demo-run-1/);
    assert.equal((await becomes('Ready', 'True')).status, 'True');
    await run('demo-run-2');
    await end('demo-run-2', ['SuccessCriteriaMet', 'Complete']);
    await becomes('Degraded', 'False');
    assert.ok(await get('Job', 'demo-run-1'));
  });

  it('that were suspended while the cluster was paused go on with it', async () => {
    await apply({ backup: {} });
    await exists('CronJob', 'demo-backup-mysql');
    await apply({ paused: true, backup: {} });
    await becomes('Progressing', 'False', 'Paused');
    await server().kubectl(['-n', namespace(), 'patch', 'cronjob', 'demo-backup-mysql', '-p', '{"spec":{"suspend":true}}']);
    await quiet();
    const suspended = async () => ((await get('CronJob', 'demo-backup-mysql'))?.['spec'] as { suspend: boolean }).suspend;
    assert.equal(await suspended(), true);
    await apply({ paused: false, backup: {} });
    await eventually('the CronJob goes on', async () => !(await suspended()));
  });
});

const GROWING = JSON.stringify({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'growing' },
  provisioner: 'example.com/none',
  allowVolumeExpansion: true,
});

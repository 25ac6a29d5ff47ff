// Backups with a bucket on a real API server: which Secrets the operator asks for, what it makes, and the documented way back.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';
import type { KubeObject } from '../../operator/src/kube/transport.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operating', 'backup-and-restore.md'), 'utf8');
const BUCKET = { bucket: 'chat-backups', credentialsSecretRef: { name: 'bucket' } };

interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: { initContainers?: { name: string }[]; containers: { name: string; args: string[] }[] };
}
interface JobSpec {
  template: PodTemplate;
}

describe('backups with a bucket, by the operator', () => {
  const { get, exists, gone, apply, becomes, condition, makeAllReady, restartWritesNothing, quiet, ...world } = operatorWorld();
  const { server, admin, namespace } = world;

  const makeSecret = (name: string, ...keys: string[]): Promise<string> =>
    server().kubectl(['-n', namespace(), 'create', 'secret', 'generic', name, ...keys.map((key) => `--from-literal=${key}=x`)]);
  const restricted = ({ metadata, spec }: PodTemplate): Promise<KubeObject> =>
    admin().request('POST', `/api/v1/namespaces/${namespace()}/pods`, {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'run', ...metadata }, spec },
      query: { dryRun: 'All' },
    });

  it('name the Secret and the key that is missing, until it is there', async () => {
    const s3 = { ...BUCKET, endpoint: 'https://s3.example', caSecretRef: { name: 'authority' } };
    await apply({ backup: { s3 } });
    const { message } = await becomes('Degraded', 'True', 'SecretMissing');
    for (const key of ['accessKeyId', 'secretAccessKey'])
      assert.ok(
        message.includes(`spec.backup.s3.credentialsSecretRef names the Secret bucket, which does not exist: make it, with the key ${key}`),
        message,
      );
    assert.match(message, /spec\.backup\.s3\.caSecretRef names the Secret authority, which does not exist: make it, with the key ca\.crt/);
    await makeSecret('authority', 'ca.crt');
    await makeSecret('bucket', 'accessKeyId');
    await eventually('the other key', async () =>
      /credentialsSecretRef names the key secretAccessKey of the Secret bucket, which has no such key: add it/.test(
        (await condition('Degraded'))?.message ?? '',
      ),
    );
    await server().kubectl(['-n', namespace(), 'delete', 'secret', 'bucket']);
    await makeSecret('bucket', 'accessKeyId', 'secretAccessKey');
    await eventually('no Secret is missing', async () => (await condition('Degraded'))?.reason !== 'SecretMissing');
  });

  it('are CronJobs that a restricted namespace takes, are written once, and lose the copy with the bucket', async () => {
    await makeSecret('bucket', 'accessKeyId', 'secretAccessKey');
    await apply({ backup: { s3: BUCKET } });
    await makeAllReady();
    const templateOf = async (name: string): Promise<PodTemplate> =>
      ((await exists('CronJob', name))['spec'] as { jobTemplate: { spec: JobSpec } }).jobTemplate.spec.template;
    for (const server of ['mysql', 'postgres']) {
      const template = await templateOf(`demo-backup-${server}`);
      assert.deepEqual(
        [template.spec.initContainers?.map(({ name }) => name), template.spec.containers.map(({ name }) => name)],
        [[server], ['copy']],
      );
      await restricted(template);
    }
    await restartWritesNothing();
    await apply({ backup: {} });
    await eventually('no copy', async () => (await templateOf('demo-backup-mysql')).spec.initContainers === undefined);
    assert.deepEqual(
      (await templateOf('demo-backup-mysql')).spec.containers.map(({ name }) => name),
      ['mysql'],
    );
  });

  it('come back by the documented Jobs, which are none of the CronJob', async () => {
    await makeSecret('bucket', 'accessKeyId', 'secretAccessKey');
    await apply({ backup: { s3: BUCKET } });
    for (const server of ['mysql', 'postgres']) await exists('CronJob', `demo-backup-${server}`);
    const [, block = assert.fail('the page has the commands')] = /```sh\n(from_bucket\(\) \{\n.*?)```/s.exec(page) ?? [];
    await inShell(block);
    for (const [name, args] of [
      ['demo-list-mysql', ['list']],
      ['demo-fetch-mysql', ['fetch', '20260101T030000Z.sql.gz']],
      ['demo-fetch-postgres', ['fetch', '20260101T030005Z.dump']],
    ] as const) {
      const job = await exists('Job', name);
      // A fetch that succeeds or fails must not count as a backup.
      assert.equal(job.metadata.ownerReferences, undefined);
      const { template } = job['spec'] as JobSpec;
      assert.equal(template.spec.initContainers, undefined);
      assert.deepEqual(
        template.spec.containers.map((container) => [container.name, container.args]),
        [['copy', args]],
      );
      // The network policy goes by it.
      assert.equal(template.metadata.labels['app.kubernetes.io/component'], 'backup');
      const { 'batch.kubernetes.io/controller-uid': _uid, 'controller-uid': _old, ...labels } = template.metadata.labels;
      await restricted({ ...template, metadata: { labels } });
    }
    await quiet();
    assert.ok(await get('Job', 'demo-list-mysql'), 'the operator leaves them alone');
    await server().kubectl(['-n', namespace(), 'delete', 'job', '--all', '--cascade=background', '--wait=false']);
    await gone('Job', 'demo-list-mysql');
  });

  async function inShell(block: string): Promise<void> {
    const dir = mkdtempSync(join(tmpdir(), 'parley-kubectl-'));
    try {
      const config = join(dir, 'config');
      writeFileSync(config, await server().kubectl(['config', 'view', '--raw', '--flatten']), { mode: 0o600 });
      const bin = join(cacheFolder(process.env), 'kind', 'bin');
      const env = { PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter), KUBECONFIG: config, HOME: dir };
      const script = `kubectl config set-context --current --namespace=${namespace()} >/dev/null\n${block}`;
      await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env });
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
});

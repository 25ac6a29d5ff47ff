// What the API server itself accepts, fills in and refuses, with the CRD and the install manifest that are shipped.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseChatCluster, resolveSpec } from '@parley/operator-api';
import { chatClusters, pathOf } from '../../operator/src/kube/resources.ts';
import { ApiError, type KubeObject, type KubeTransport } from '../../operator/src/kube/transport.ts';
import { startApiServer, type ApiServer } from '../helpers/apiserver.ts';
import { FORBIDDEN, ILLEGAL, type Illegal } from './illegal-specs.ts';

const charts = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'charts');
const NAMESPACE = 'default';

/** Without the bounds of expressions: a regular expression tells nobody what is wanted. */
const inWords = (message: string): string => message.replaceAll(/[^ ]+ in body should match '[^']*'/g, '');

describe('the ChatCluster CRD', () => {
  let server: ApiServer;
  let api: KubeTransport;

  const collection = pathOf(chatClusters, NAMESPACE);
  const resource = (name: string, spec: object) => ({
    apiVersion: 'chat.parley.dev/v1alpha1',
    kind: 'ChatCluster',
    metadata: { name, namespace: NAMESPACE },
    spec,
  });
  const create = (name: string, spec: object, query: Record<string, string> = { dryRun: 'All' }): Promise<KubeObject> =>
    api.request('POST', collection, { body: resource(name, spec), query: { ...query, fieldValidation: 'Strict' } });
  const patch = (name: string, spec: object): Promise<KubeObject> =>
    api.request('PATCH', pathOf(chatClusters, NAMESPACE, name), { body: { spec }, contentType: 'application/merge-patch+json' });
  const refused = (check: RegExp | ((message: string) => void)) => (error: unknown) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.ok([400, 403, 422].includes(error.status), `${error.status} ${error.message}`);
    if (check instanceof RegExp) assert.match(error.message, check);
    else check(error.message);
    return true;
  };

  const refusedFor = ({ field, remedy }: Illegal) =>
    refused((message) => {
      assert.ok(message.includes(`spec.${field}: `), `${field} in: ${message}`);
      assert.match(inWords(message), remedy);
    });

  before(async () => {
    server = await startApiServer();
    api = server.transport();
    await server.kubectl(['apply', '-f', join(charts, 'install.yaml')]);
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/chatclusters.chat.parley.dev']);
  });
  after(() => server?.stop());

  it('fills in the same defaults as the operator does', async () => {
    const { spec } = await create('defaults', {});
    assert.deepEqual(spec, parsedSpec({}));
  });

  it('is complete without a spec', async () => {
    const body = { apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatCluster', metadata: { name: 'bare', namespace: NAMESPACE } };
    const created: KubeObject = await api.request('POST', collection, { body, query: { dryRun: 'All' } });
    assert.deepEqual(created['spec'], parsedSpec({}));
  });

  for (const file of readdirSync(join(charts, 'samples')))
    it(`accepts the sample ${file}`, async () => {
      await server.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', join(charts, 'samples', file)]);
      assert.match(readFileSync(join(charts, 'samples', file), 'utf8'), /^# Written by/);
    });

  it('refuses a backup of databases that are somewhere else', () => {
    const external = { mode: 'external', external: { urlSecretRef: { name: 'x' } } };
    return assert.rejects(
      create('illegal', { backup: {}, mysql: external, postgres: external }),
      refused(/backup needs a builtin database.*leave backup out/s),
    );
  });
  it('takes a bucket for the backups, of AWS and of another server', async () => {
    const credentialsSecretRef = { name: 'bucket' };
    await create('aws', { backup: { s3: { bucket: 'chat.backups-1', credentialsSecretRef, region: 'eu-central-1', prefix: 'a/b.c_d' } } });
    const own = { endpoint: 'https://[fd00::1]:9000', caSecretRef: { name: 'ca' }, forcePathStyle: false };
    await create('own', { backup: { s3: { bucket: 'own', credentialsSecretRef, ...own } } });
    await create('open', { backup: { s3: { bucket: 'own', credentialsSecretRef, endpoint: 'http://minio.minio:9000', allowHttp: true } } });
  });
  it('refuses an autoscaler whose every step would wait for an approval', () =>
    assert.rejects(
      create('illegal', { changePolicy: 'Plan', chat: { autoscaling: { maxReplicas: 4 } } }),
      refused(/autoscaling needs changePolicy Apply.*set changePolicy to Apply/s),
    ));
  it('knows no policy that deletes backups with the cluster', () =>
    assert.rejects(create('illegal', { backup: { storage: { whenDeleted: 'Delete' } } }), refused(/unknown field.*whenDeleted/s)));
  it('refuses a name from which no name of a CronJob can be made, with backups only', async () => {
    await create('a'.repeat(37), {});
    await create('a'.repeat(36), { backup: {} });
    await assert.rejects(create('a'.repeat(37), { backup: {} }), refused(/at most 36.*shorter name/));
  });
  for (const schedule of ['0 3 * * *', '*/15 0-6,22 1,15 JAN-MAR SUN', '@daily'])
    it(`takes the schedule ${schedule}, as a CronJob does`, async () => {
      await create('scheduled', { backup: { schedule } });
      const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'x' }] } } } };
      const body = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'scheduled' }, spec: { schedule, jobTemplate } };
      await api.request('POST', `/apis/batch/v1/namespaces/${NAMESPACE}/cronjobs`, { body, query: { dryRun: 'All' } });
    });

  for (const each of ILLEGAL)
    it(`refuses ${each.why}, names the field and the remedy`, () => assert.rejects(create('illegal', each.spec), refusedFor(each)));

  it('takes what is close to the bounds of the rules', async () => {
    await create('legal', {
      version: 'sha-0a1b_2.c',
      images: { registry: 'registry.example:5000/team/parley', pullSecrets: [{ name: 'my.registry-1' }] },
      core: {
        resources: { requests: { cpu: '0.5', memory: '1Gi' }, limits: { cpu: '500m', memory: '1024Mi' } },
        tolerations: [{ operator: 'Exists' }, { key: 'a', value: 'b' }, { key: 'a', effect: 'NoExecute', tolerationSeconds: 0 }],
      },
      ingress: {
        allowedOrigins: ['null', 'http://localhost:8080', 'https://[::1]:8443'],
        trustedProxies: [
          '10.0.0.0/8',
          '192.168.255.1',
          '0.0.0.0/0',
          '10.1.2.3/32',
          '::1',
          'fd00::/8',
          '2001:db8::1/128',
          '::ffff:10.0.0.1',
        ],
      },
      redis: { mode: 'external', external: { urlSecretRef: { name: 'redis', key: 'tls.url_2' } } },
      kafka: { mode: 'external', external: { bootstrapServers: ['k-0.kafka.svc:9092'] } },
      mysql: { storage: { class: '' } },
      auth: { issuers: [{ issuer: 'a', userIdMin: 1, jwksUrl: 'https://a.example' }] },
    });
  });

  it('refuses a field that it does not know', () =>
    assert.rejects(create('illegal', { chat: { replica: 3 } }), refused(/unknown field.*replica/)));

  it('refuses a name from which no Service name can be made', async () => {
    await assert.rejects(create('a'.repeat(41), {}), refused(/40/));
    await assert.rejects(create('1chat', {}), refused(/letter/));
    await assert.rejects(create('my.chat', {}), refused(/letter/));
  });

  it('refuses a name from which no name of a CronJob can be made, with backups only', async () => {
    await create('a'.repeat(37), {});
    await create('a'.repeat(36), { backup: {} });
    await assert.rejects(create('a'.repeat(37), { backup: {} }), refused(/at most 36.*shorter name/));
  });

  for (const schedule of ['0 3 * * *', '*/15 0-6,22 1,15 JAN-MAR SUN', '@daily'])
    it(`takes the schedule ${schedule}, as a CronJob does`, async () => {
      await create('scheduled', { backup: { schedule } });
      const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'x' }] } } } };
      const body = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'scheduled' }, spec: { schedule, jobTemplate } };
      await api.request('POST', `/apis/batch/v1/namespaces/${NAMESPACE}/cronjobs`, { body, query: { dryRun: 'All' } });
    });

  describe('of a living cluster', () => {
    before(() => create('living', { backup: {} }, {}));
    const generation = async (): Promise<number> =>
      (await api.request('GET', pathOf(chatClusters, NAMESPACE, 'living'))).metadata.generation ?? 0;
    const writeStatus = (status: object): Promise<KubeObject> =>
      api.request('PATCH', pathOf(chatClusters, NAMESPACE, 'living', 'status'), {
        contentType: 'application/merge-patch+json',
        body: { status },
      });

    for (const each of FORBIDDEN)
      it(`refuses ${each.why}, names the field and the remedy`, () => assert.rejects(patch('living', each.spec), refusedFor(each)));

    it('takes everything that may change', async () => {
      const changed = await patch('living', {
        version: '0.2.0',
        chat: { replicas: 4 },
        monitoring: { prometheus: 'builtin' },
        mysql: { storage: { size: '50Gi' } },
        backup: { storage: { size: '1Ti' } },
        paused: true,
      });
      assert.equal((changed['spec'] as { version: string }).version, '0.2.0');
    });

    it('is scaled by kubectl scale', async () => {
      await server.kubectl(['scale', 'chatcluster/living', '--replicas=5']);
      const scaled: KubeObject = await api.request('GET', pathOf(chatClusters, NAMESPACE, 'living'));
      assert.equal((scaled['spec'] as { chat: { replicas: number } }).chat.replicas, 5);
      await assert.rejects(server.kubectl(['scale', 'chatcluster/living', '--replicas=1000']), /less than or equal to 100/);
    });

    it('shows Ready, Replicas, Version and Age, under its short name and in `all`', async () => {
      await writeStatus({
        readyReplicas: 2,
        version: '0.1.0',
        conditions: [{ ...readyCondition, observedGeneration: await generation() }],
      });
      const table = await server.kubectl(['get', 'chat', 'living']);
      assert.match(table, /NAME\s+READY\s+REPLICAS\s+CONNECTIONS\s+VERSION\s+AGE\n\s*living\s+True\s+2\s+0\.1\.0/);
      assert.match(await server.kubectl(['get', 'all']), /chatcluster\.chat\.parley\.dev\/living/);
    });

    it('is Ready for kubectl wait only when the newest generation is', async () => {
      const newest = await generation();
      await writeStatus({ conditions: [{ ...readyCondition, observedGeneration: newest }] });
      await server.kubectl(['wait', '--for=condition=Ready', '--timeout=5s', 'chat/living']);
      await writeStatus({ conditions: [{ ...readyCondition, observedGeneration: newest - 1 }] });
      await assert.rejects(server.kubectl(['wait', '--for=condition=Ready', '--timeout=1s', 'chat/living']), /timed out/);
    });

    it('does not let a writer of the spec write the status', async () => {
      const written: KubeObject = await api.request('PATCH', pathOf(chatClusters, NAMESPACE, 'living'), {
        contentType: 'application/merge-patch+json',
        body: { status: { version: '9.9.9' } },
      });
      assert.notEqual((written['status'] as { version: string }).version, '9.9.9');
    });
  });
});

const readyCondition = {
  type: 'Ready',
  status: 'True',
  reason: 'AllReady',
  message: 'All parts are ready.',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
};

function parsedSpec(spec: object): unknown {
  const parsed = parseChatCluster({ metadata: { name: 'x', namespace: 'y' }, spec: resolveSpec(spec) });
  assert.ok(parsed.ok);
  return parsed.cluster.spec;
}

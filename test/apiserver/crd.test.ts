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

const charts = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'charts');
const NAMESPACE = 'default';

/** A spec that must be refused, and what the refusal must say. */
const ILLEGAL: [why: string, spec: object, message: RegExp][] = [
  ['an even broker count', { kafka: { brokers: 2 } }, /brokers.*(odd|1 or 3).*(even|vote)/s],
  ['four brokers', { kafka: { brokers: 4 } }, /brokers.*1 or 3/s],
  ['five brokers', { kafka: { brokers: 5 } }, /brokers.*1 or 3/s],
  ['no broker', { kafka: { brokers: 0 } }, /brokers.*1 or 3/s],
  ['an unknown Kafka mode', { kafka: { mode: 'strimzi' } }, /kafka\.mode.*"builtin", "external", "none"/s],
  ['an unknown MySQL flavor', { mysql: { flavor: 'percona' } }, /flavor.*"mysql", "mariadb"/s],
  ['an unknown Service type', { ingress: { service: { type: 'ExternalName' } } }, /type.*"ClusterIP", "NodePort", "LoadBalancer"/s],
  ['negative replicas', { chat: { replicas: -1 } }, /chat\.replicas.*greater than or equal to 0/s],
  ['too many replicas', { chat: { replicas: 101 } }, /chat\.replicas.*less than or equal to 100/s],
  ['replicas that are no number', { chat: { replicas: 'three' } }, /chat\.replicas.*integer/s],
  ['external Redis without a URL', { redis: { mode: 'external' } }, /redis.*external.*(needs|must)/s],
  ['external Kafka without brokers', { kafka: { mode: 'external' } }, /kafka.*external.*(needs|must)/s],
  ['built-in MySQL with external', { mysql: { external: { urlSecretRef: { name: 'x' } } } }, /mysql.*external.*only/s],
  ['built-in PostgreSQL with external', { postgres: { external: { urlSecretRef: { name: 'x' } } } }, /postgres.*external.*only/s],
  [
    'an external server without the name of a Secret',
    { mysql: { mode: 'external', external: { urlSecretRef: {} } } },
    /urlSecretRef\.name.*Required/s,
  ],
  [
    'a broker without a port',
    { kafka: { mode: 'external', external: { bootstrapServers: ['kafka.example.com'] } } },
    /bootstrapServers.*host:port|bootstrapServers.*match/s,
  ],
  ['a drain that never asks all sockets', { chat: { drain: { windowSeconds: 10, ratePercentPerSecond: 5 } } }, /must reach 100/],
  ['a drain of no time', { chat: { drain: { windowSeconds: 0 } } }, /windowSeconds.*greater than or equal to 1/s],
  [
    'requests above limits',
    { chat: { resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } } },
    /requests.*(limit|larger|exceed)/s,
  ],
  ['a quantity that is none', { core: { resources: { requests: { cpu: 'much' } } } }, /cpu/],
  ['a wildcard origin', { ingress: { allowedOrigins: ['*'] } }, /allowedOrigins/],
  ['an origin with a path', { ingress: { allowedOrigins: ['https://a.example/chat'] } }, /allowedOrigins/],
  ['a trusted proxy that is no address', { ingress: { trustedProxies: ['proxy.example.com'] } }, /trustedProxies/],
  ['a size that is none', { mysql: { storage: { size: 'big' } } }, /storage\.size/],
  ['a volume policy that is none', { redis: { storage: { whenDeleted: 'Recycle' } } }, /whenDeleted.*"Retain", "Delete"/s],
  ['a message limit above the protocol’s', { chat: { messageMaxBytes: 1_000_000 } }, /messageMaxBytes.*less than or equal to 49152/s],
  ['a token life of a second', { auth: { accessTokenSeconds: 1 } }, /accessTokenSeconds.*greater than or equal to 60/s],
  [
    'an issuer without keys',
    { auth: { issuers: [{ issuer: 'https://id.example.org', userIdMin: 1 }] } },
    /issuers.*either jwksUrl or hs256SecretRef/s,
  ],
  [
    'an issuer with two kinds of keys',
    { auth: { issuers: [{ issuer: 'a', userIdMin: 1, jwksUrl: 'https://a.example/keys', hs256SecretRef: { name: 'a' } }] } },
    /issuers.*either jwksUrl or hs256SecretRef/s,
  ],
  [
    'an issuer twice',
    { auth: { issuers: [1, 2].map((userIdMin) => ({ issuer: 'a', userIdMin, jwksUrl: 'https://a.example/keys' })) } },
    /issuers.*stand in the list once/s,
  ],
  [
    'an issuer with the name of auth',
    { auth: { issuers: [{ issuer: 'parley', userIdMin: 1, jwksUrl: 'https://a.example/keys' }] } },
    /issuers.*the one of auth/s,
  ],
  ['an issuer that may name any user', { auth: { issuers: [{ issuer: 'a', jwksUrl: 'https://a.example/keys' }] } }, /userIdMin.*Required/s],
  ['a collector without http', { monitoring: { tracing: { endpoint: 'collector:4318' } } }, /tracing.endpoint/s],
  ['notifications without a secret', { worker: { notifications: { url: 'https://push.example' } } }, /secretRef.*Required/s],
  ['notifications to no URL', { worker: { notifications: { url: 'push', secretRef: { name: 'push' } } } }, /notifications\.url/],
  ['webhooks that never fail', { worker: { webhooks: { failuresMax: 0 } } }, /failuresMax.*greater than or equal to 1/s],
  ['a version that is no image tag', { version: 'latest!' }, /version/],
];

/** A change of a living cluster that must be refused. */
const FORBIDDEN: [why: string, change: object, message: RegExp][] = [
  ['another broker count', { kafka: { brokers: 3 } }, /brokers.*cannot (be )?change/s],
  ['another flavor', { mysql: { flavor: 'mariadb' } }, /flavor.*cannot (be )?change/s],
  ['a smaller volume', { mysql: { storage: { size: '1Gi' } } }, /size.*cannot (be )?change/s],
  ['another storage class', { redis: { storage: { class: 'fast' } } }, /class.*cannot (be )?change/s],
  ['another database mode', { mysql: { mode: 'external', external: { urlSecretRef: { name: 'x' } } } }, /mode.*cannot (be )?change/s],
];

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
  const refused = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.ok([400, 403, 422].includes(error.status), `${error.status} ${error.message}`);
    assert.match(error.message, message);
    return true;
  };

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

  for (const [why, spec, message] of ILLEGAL)
    it(`refuses ${why} and says why`, () => assert.rejects(create('illegal', spec), refused(message)));

  it('refuses a field that it does not know', () =>
    assert.rejects(create('illegal', { chat: { replica: 3 } }), refused(/unknown field.*replica/)));

  it('refuses a name from which no Service name can be made', async () => {
    await assert.rejects(create('a'.repeat(41), {}), refused(/40/));
    await assert.rejects(create('1chat', {}), refused(/letter/));
    await assert.rejects(create('my.chat', {}), refused(/letter/));
  });

  describe('of a living cluster', () => {
    before(() => create('living', {}, {}));
    const generation = async (): Promise<number> =>
      (await api.request('GET', pathOf(chatClusters, NAMESPACE, 'living'))).metadata.generation ?? 0;
    const writeStatus = (status: object): Promise<KubeObject> =>
      api.request('PATCH', pathOf(chatClusters, NAMESPACE, 'living', 'status'), {
        contentType: 'application/merge-patch+json',
        body: { status },
      });

    for (const [why, change, message] of FORBIDDEN)
      it(`refuses ${why} and says why`, () => assert.rejects(patch('living', change), refused(message)));

    it('takes everything that may change', async () => {
      const changed = await patch('living', {
        version: '0.2.0',
        chat: { replicas: 4 },
        monitoring: { prometheus: 'builtin' },
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

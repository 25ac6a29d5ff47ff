// The Helm chart with Helm itself: it gives the same objects as the other two installs, obeys its own rules, and a real API server takes it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { installObjects, NAMESPACED, OPERATOR, OPERATOR_NAMESPACE, type KubeObject } from '@parley/cdk8s';
import { parseAllDocuments } from 'yaml';
import { cacheFolder } from '../../kind/servers/src/processes/programs.ts';
import { startApiServer, type ApiServer } from '../helpers/apiserver.ts';
import { removeFolder, temporaryFolder } from '../helpers/servers.ts';

const charts = resolve(import.meta.dirname, '../../charts');
const chart = join(charts, 'helm', OPERATOR);
const { version } = JSON.parse(readFileSync(resolve(charts, '../package.json'), 'utf8')) as { version: string };
const program = join(cacheFolder(process.env), 'kind', 'bin', 'helm');
const home = temporaryFolder();
after(() => removeFolder(home));

async function helm(...args: string[]): Promise<string> {
  // A failure, not a skip: these tests are part of what `npm test` promises.
  if (!existsSync(program)) throw new Error(`${program} is missing: fetch it with \`node kind/offline/helm.mjs\` (37 MB, once)`);
  const { stdout } = await promisify(execFile)(program, args, { env: { HOME: home, PATH: '/usr/bin:/bin' }, maxBuffer: 1 << 26 });
  return stdout;
}
const template = (...args: string[]): Promise<string> => helm('template', 'any-name', chart, '--include-crds', ...args);
const oneNamespace = ['--namespace', NAMESPACED.namespace, '--set', `watchNamespace=${NAMESPACED.watchNamespace}`];
const everywhere = ['--namespace', OPERATOR_NAMESPACE];

const objectsIn = (yaml: string): KubeObject[] =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
/** kind/namespace/name -> object */
const byName = (objects: readonly object[]): Record<string, object> =>
  Object.fromEntries(
    (objects as KubeObject[]).map((object) => [`${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`, object]),
  );
const deployment = (yaml: string) => {
  const found = objectsIn(yaml).find(({ kind }) => kind === 'Deployment') ?? assert.fail();
  return found['spec'] as { replicas: number; template: { spec: Record<string, unknown> & { containers: [Record<string, unknown>] } } };
};

describe('the Helm chart', () => {
  for (const { file, args, options } of [
    { file: 'install.yaml', args: everywhere, options: {} },
    { file: 'install-namespaced.yaml', args: oneNamespace, options: NAMESPACED },
  ])
    it(`gives the objects of ${file}, and so does the tree`, async () => {
      const committed = byName(objectsIn(readFileSync(join(charts, file), 'utf8')));
      // JSON, as an API server gets it: without what is undefined.
      assert.deepEqual(JSON.parse(JSON.stringify(byName(installObjects(version, options)))), committed);
      const rendered = objectsIn(await template(...args));
      const { [`Namespace//${args[1]}`]: namespace, ...others } = committed;
      assert.ok(namespace, 'Helm keeps the release in the namespace, so no chart can make it: --create-namespace does');
      assert.equal(rendered.length, Object.keys(others).length, 'nothing twice');
      assert.deepEqual(byName(rendered), others);
    });

  for (const { file, args } of [
    { file: 'strimzi-rights.yaml', args: everywhere },
    { file: 'strimzi-rights-namespaced.yaml', args: oneNamespace },
  ])
    it(`gives the objects of ${file} where they are asked for, and nothing else more`, async () => {
      const without = byName(objectsIn(await template(...args)));
      const all = Object.entries(byName(objectsIn(await template(...args, '--set', 'strimzi=true'))));
      const more = Object.fromEntries(all.filter(([name]) => !Object.hasOwn(without, name)));
      assert.deepEqual(more, byName(objectsIn(readFileSync(join(charts, file), 'utf8'))));
    });

  it('is clean for helm lint, in both forms', async () => {
    assert.match(await helm('lint', '--strict', chart), /0 chart\(s\) failed/);
    assert.match(await helm('lint', '--strict', chart, '--set', 'watchNamespace=team'), /0 chart\(s\) failed/);
  });

  it('takes every value', async () => {
    const values = {
      ...{ replicas: 3, logLevel: 'debug', clusterDomain: 'example.internal', watchNamespace: 'team', strimzi: true },
      image: { registry: 'registry.example:5000/chat', tag: '2.0', pullPolicy: 'Always' },
      imagePullSecrets: [{ name: 'pull' }, { name: 'other' }],
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } },
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'only', operator: 'Equal', value: 'true', effect: 'NoSchedule' }],
    };
    const yaml = await template(
      '--namespace',
      'ops',
      ...Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
    );
    const { replicas, template: pod } = deployment(yaml);
    const { containers, imagePullSecrets, nodeSelector, tolerations } = pod.spec;
    const [{ image, imagePullPolicy, resources, env }] = containers;
    assert.deepEqual(
      { replicas, imagePullSecrets, nodeSelector, tolerations, resources },
      {
        replicas: values.replicas,
        imagePullSecrets: values.imagePullSecrets,
        nodeSelector: values.nodeSelector,
        tolerations: values.tolerations,
        resources: values.resources,
      },
    );
    assert.deepEqual([image, imagePullPolicy], ['registry.example:5000/chat/operator:2.0', 'Always']);
    const variables = Object.fromEntries((env as { name: string; value: string }[]).map(({ name, value }) => [name, value]));
    assert.deepEqual(
      [variables['WATCH_NAMESPACE'], variables['LOG_LEVEL'], variables['CLUSTER_DOMAIN']],
      ['team', 'debug', 'example.internal'],
    );
    assert.deepEqual(
      objectsIn(yaml)
        .filter(({ kind, metadata }) => kind === 'Role' && metadata.namespace === 'team')
        .map(({ metadata }) => metadata.name),
      ['parley-operator-clusters', 'parley-operator-strimzi'],
    );
  });

  it('refuses a value that it does not know, and a wrong one, with the reason', async () => {
    await assert.rejects(template('--set', 'replica=3'), /replica/);
    await assert.rejects(template('--set', 'replicas=many'), /replicas/);
    await assert.rejects(template('--set', 'logLevel=loud'), /logLevel/);
    await assert.rejects(template('--set', 'watchNamespace=a b'), /watchNamespace/);
  });
});

describe('the Helm chart on an API server', () => {
  let server: ApiServer;
  const release = ['--namespace', 'ops', '--kubeconfig'];
  const names = async (kinds: string): Promise<string[]> =>
    (await server.kubectl(['get', kinds, '-A', '-l', `app.kubernetes.io/name=${OPERATOR}`, '-o', 'name']))
      .trim()
      .split('\n')
      .filter(Boolean);
  const kinds = 'clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts,services,deployments,poddisruptionbudgets';

  before(async () => {
    server = await startApiServer();
  });
  after(() => server?.stop());

  it('is installed, changes its form by an upgrade, and leaves the ChatClusters when it goes', async () => {
    const config = server.kubeconfigFile;
    const notes = await helm('install', 'parley', chart, '--create-namespace', ...release, config);
    assert.match(notes, /looks after the ChatClusters of all namespaces\./);
    assert.match(notes, /helm show crds CHART \| kubectl apply/);
    assert.deepEqual((await names(kinds)).filter((name) => name.includes('clusterrole')).length, 2);
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/chatclusters.chat.parley.dev']);
    await server.kubectl(['-n', 'ops', 'apply', '-f', join(charts, 'samples', 'minimal.yaml')]);

    // The command of the notes, with a CRD that differs from the one that Helm has made.
    const newer = (await helm('show', 'crds', chart)).replace('- chat\n', '- talk\n');
    await server.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], newer);
    const shortName = () => server.kubectl(['get', 'crd', 'chatclusters.chat.parley.dev', '-o', 'jsonpath={.spec.names.shortNames[0]}']);
    assert.equal(await shortName(), 'talk');

    const upgraded = await helm('upgrade', 'parley', chart, '--set', 'watchNamespace=ops', ...release, config);
    assert.match(upgraded, /looks after the ChatClusters of the namespace ops\./);
    assert.deepEqual(
      (await names(kinds)).filter((name) => name.includes('role')).sort(),
      ['role', 'rolebinding'].flatMap((kind) =>
        [OPERATOR, `${OPERATOR}-clusters`].map((name) => `${kind}.rbac.authorization.k8s.io/${name}`),
      ),
    );

    assert.equal(await shortName(), 'talk', 'an upgrade by Helm leaves the CRD');

    await helm('uninstall', 'parley', ...release, config);
    assert.deepEqual(await names(kinds), []);
    assert.match(await server.kubectl(['-n', 'ops', 'get', 'chatclusters', '-o', 'name']), /minimal/);
  });
});

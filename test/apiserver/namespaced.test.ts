// charts/install-namespaced.yaml on a real API server: with just its rights an operator brings up a ChatCluster in its namespace, and
// neither sees nor touches another one.
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { NAMESPACED } from '@parley/cdk8s';
import { Lease } from '../../operator/src/kube/lease.ts';
import { chatClusters, ownedResources, pathOf, pods, secrets } from '../../operator/src/kube/resources.ts';
import { ApiError, type KubeObject } from '../../operator/src/kube/transport.ts';
import { operatorWorld } from './operator-world.ts';

const { namespace: HOME, watchNamespace } = NAMESPACED;
const charts = resolve(import.meta.dirname, '../../charts');
const FOREIGN = 'foreign';

describe('an operator of one namespace', () => {
  const world = operatorWorld({ file: 'install-namespaced.yaml', as: 'namespaced', operatorNamespace: HOME, watchNamespace });
  const { server, admin, apply, exists, gone, get, makeReady, makeAllReady, becomes, condition, quiet, warnings, writes } = world;
  const operator = () => server().transport('namespaced');
  const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403;

  it('brings its ChatCluster to Ready, changes it and prunes, and does nothing about one of another namespace', async () => {
    await server().kubectl(['create', 'namespace', FOREIGN]);
    await server().kubectl(['-n', FOREIGN, 'apply', '-f', join(charts, 'samples', 'minimal.yaml')]);
    // Its own comes later: when that is ready, the other one has had its time.
    await apply({ monitoring: { prometheus: 'builtin' } });
    await exists('Deployment', 'demo-prometheus');
    const policy = JSON.stringify(await exists('NetworkPolicy', 'demo-chat'));
    assert.ok(policy.includes(`{"kubernetes.io/metadata.name":"${HOME}"}`), `lets the operator in: ${policy}`);
    await apply({});
    await gone('Deployment', 'demo-prometheus');
    await makeAllReady();
    await apply({ chat: { replicas: 5 } });
    await becomes('Ready', 'False');
    await makeReady('StatefulSet', 'demo-chat');
    await becomes('Ready', 'True');
    assert.equal(((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas, 5);
    await quiet();
    assert.deepEqual(warnings, [], 'it is refused nothing');
    assert.equal(await condition('CRDOutdated'), undefined, 'it may not read CRDs, so it claims nothing of them');

    assert.equal((await admin().request('GET', pathOf(chatClusters, FOREIGN, 'minimal')))['status'], undefined);
    assert.deepEqual(
      writes().filter((write) => !write.includes(`/namespaces/${HOME}/`)),
      [],
    );
    for (const resource of [pods, secrets, ...ownedResources]) {
      const { items } = await admin().request<{ items: KubeObject[] }>('GET', pathOf(resource, FOREIGN));
      assert.deepEqual(items, [], resource.kind);
    }
  });

  it('may read nothing of other namespaces, nor of all', async () => {
    for (const namespace of ['default', undefined])
      for (const resource of [chatClusters, pods, ...ownedResources])
        await assert.rejects(operator().request('GET', pathOf(resource, namespace)), isForbidden, `${resource.kind} of ${namespace}`);
    await assert.rejects(operator().request('GET', pathOf(secrets, 'default', 'any')), isForbidden);
    await assert.rejects(operator().request('GET', pathOf(secrets, HOME)), isForbidden, 'secrets are read by name only, at home, too');
  });

  it('takes its Lease at home', async () => {
    const lease = new Lease({ transport: operator(), namespace: HOME, name: 'parley-operator', identity: 'test' });
    await lease.acquire();
    assert.equal(lease.held, true);
    await lease.release();
  });
});

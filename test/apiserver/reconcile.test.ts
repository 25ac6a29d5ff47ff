// The operator against a real API server: what it makes, repairs, removes and tells.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ownedResource, pathOf } from '../../operator/src/kube/resources.ts';
import type { KubeObject } from '../../operator/src/kube/transport.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

describe('the operator on a real API server', () => {
  const { get, exists, gone, apply, status, condition, becomes, makeReady, jobName, makeAllReady, restartWritesNothing, quiet, ...more } =
    operatorWorld(undefined, { own: true });
  const { makePod, serving, server, admin, namespace, warnings } = more;

  it('brings an empty ChatCluster to Ready, servers first, then the migration, then the services', async () => {
    await apply({});
    assert.equal((await becomes('Ready', 'False')).reason, 'DependenciesNotReady');
    assert.equal(await get('StatefulSet', 'demo-chat'), undefined);
    await makeAllReady();
    const { replicas, readyReplicas, selector, version, observedGeneration } = await eventually('chat in the status', async () => {
      const found = await status();
      return found.readyReplicas === 3 && found;
    });
    assert.deepEqual(
      { replicas, readyReplicas, version, observedGeneration },
      { replicas: 3, readyReplicas: 3, version: '0.1.0', observedGeneration: 1 },
    );
    assert.equal(selector, 'app.kubernetes.io/name=parley,app.kubernetes.io/instance=demo,app.kubernetes.io/component=chat');
    for (const type of ['Available', 'Rendered', 'DependenciesReady', 'MigrationsReady'])
      assert.equal((await condition(type))?.status, 'True', type);
    for (const type of ['Progressing', 'Degraded']) assert.equal((await condition(type))?.status, 'False', type);
    assert.deepEqual(warnings, []);
  });

  it('writes nothing when nothing changed, also after a restart', async () => {
    await apply({});
    await makeAllReady();
    await makePod('canary', 9, { revision: 'any', status: serving(9) });
    const { lastChecked } = await eventually('what the canary says', async () => (await status()).delivery);
    // A time that is told again would be another one.
    await eventually('a second later', async () => Date.now() > Date.parse(lastChecked ?? '') + 1000);
    await restartWritesNothing();
  });

  it('every object is owned by the ChatCluster and labelled', async () => {
    await apply({});
    await makeAllReady();
    const uid = (await get('ChatCluster', 'demo'))?.metadata.uid;
    for (const kind of ['ConfigMap', 'Service', 'Deployment', 'StatefulSet', 'Job', 'NetworkPolicy', 'PodDisruptionBudget']) {
      const { items }: { items: KubeObject[] } = await admin().request('GET', pathOf(ownedResource(kind), namespace()));
      const made = items.filter(({ metadata }) => metadata.name.startsWith('demo-'));
      assert.ok(made.length > 0, kind);
      for (const { metadata } of made) {
        assert.equal(metadata.ownerReferences?.[0]?.uid, uid, `${kind} ${metadata.name}`);
        assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'parley-operator');
      }
    }
  });

  it('repairs what somebody else changed, and puts back what somebody deleted', async () => {
    await apply({});
    await makeAllReady();
    await quiet();
    await server().kubectl(['-n', namespace(), 'scale', 'statefulset/demo-chat', '--replicas=1']);
    await server().kubectl(['-n', namespace(), 'delete', 'service', 'demo-haproxy']);
    await server().kubectl(['-n', namespace(), 'patch', 'configmap', 'demo-haproxy', '-p', '{"data":{"haproxy.cfg":"broken"}}']);
    await exists('Service', 'demo-haproxy');
    await eventually(
      'three replicas',
      async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 3,
    );
    await eventually('the configuration', async () =>
      ((await get('ConfigMap', 'demo-haproxy'))?.['data'] as Record<string, string>)['haproxy.cfg']?.includes('frontend chat'),
    );
  });

  it('leaves fields alone that others added', async () => {
    await apply({});
    await makeAllReady();
    await server().kubectl(['-n', namespace(), 'annotate', 'statefulset/demo-chat', 'team.example.com/owner=us']);
    await apply({ chat: { replicas: 4 } });
    await eventually(
      'four replicas',
      async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 4,
    );
    assert.equal((await get('StatefulSet', 'demo-chat'))?.metadata.annotations?.['team.example.com/owner'], 'us');
  });

  it('removes what the spec no longer asks for', async () => {
    await apply({ monitoring: { prometheus: 'builtin' } });
    await makeReady('StatefulSet', 'demo-mysql');
    await exists('Deployment', 'demo-prometheus');
    await apply({ monitoring: { prometheus: 'none' }, networkPolicy: { enabled: false } });
    await gone('Deployment', 'demo-prometheus');
    await gone('ConfigMap', 'demo-prometheus');
    await gone('NetworkPolicy', 'demo-mysql');
  });

  it('never overwrites a Secret, and does not make a password anew for data that is kept', async () => {
    await apply({});
    const before = await exists('Secret', 'demo-mysql');
    await exists('StatefulSet', 'demo-mysql');
    await apply({ chat: { replicas: 2 } });
    await eventually('generation 2', async () => (await status()).observedGeneration === 2);
    assert.deepEqual((await get('Secret', 'demo-mysql'))?.['data'], before['data']);
    assert.equal(before.metadata.ownerReferences, undefined);
  });

  it('migrates a new version before it moves the services', async () => {
    await apply({});
    await makeAllReady();
    const old = await jobName();
    await apply({ version: '0.2.0' });
    const job = await eventually('a new Job', async () => {
      const name = await jobName();
      return name !== old && name;
    });
    const image = async () =>
      ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { template: { spec: { containers: { image: string }[] } } }).template.spec
        .containers[0]?.image;
    assert.match((await becomes('Ready', 'False')).message, /migration to version 0\.2\.0/);
    assert.equal(await image(), 'docker.io/parley/services:0.1.0');
    await makeReady('Job', job);
    await eventually('the new image', async () => (await image()) === 'docker.io/parley/services:0.2.0');
    await gone('Job', old);
  });

  it('changes nothing while it is paused, and still tells the status', async () => {
    await apply({});
    await makeAllReady();
    await apply({ paused: true, chat: { replicas: 1 } });
    await eventually('generation 2', async () => (await status()).observedGeneration === 2);
    assert.equal(((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas, 3);
    assert.match((await condition('Ready'))?.message ?? '', /paused/);
    await apply({ paused: false, chat: { replicas: 1 } });
    await eventually('one replica', async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 1);
  });

  it('says which part is missing and what to do next', async () => {
    await apply({});
    const { message } = await becomes('DependenciesReady', 'False');
    assert.match(message, /mysql has 0 of 1 replicas ready/);
    assert.match(message, /kubectl -n team-\d+ get pods -l app\.kubernetes\.io\/instance=demo/);
  });

  it('goes on after the API server was killed', async () => {
    await apply({});
    await makeReady('StatefulSet', 'demo-mysql');
    await server().restart();
    const { metadata } = await apply({ chat: { replicas: 2 } });
    // Its watches come back one by one: what was made of the spec of before would be made ready here, and never again.
    await eventually('the change is seen', async () => (await status()).observedGeneration === metadata.generation);
    await makeAllReady();
    await eventually(
      'two replicas',
      async () => ((await get('StatefulSet', 'demo-chat'))?.['spec'] as { replicas: number }).replicas === 2,
    );
  });

  it('tells on the ChatCluster what it did', async () => {
    await apply({});
    await eventually('an event', async () => {
      const { items }: { items: { regarding: { name: string }; reason: string; note: string }[] } = await admin().request(
        'GET',
        `/apis/events.k8s.io/v1/namespaces/${namespace()}/events`,
      );
      return items.some(
        ({ regarding, reason, note }) => regarding.name === 'demo' && reason === 'Applied' && note.includes('StatefulSet/demo-mysql'),
      );
    });
  });
});

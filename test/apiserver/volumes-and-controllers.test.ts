// With the controllers of Kubernetes themselves: claims that get no volume, a deletion that has to be confirmed, a namespace that goes all the
// same, and a StatefulSet that is made again around its pods.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pathOf, pods, type Resource } from '../../operator/src/kube/resources.ts';
import type { KubeObject } from '../../operator/src/kube/transport.ts';
import { startControllers, type Controllers } from '../helpers/controllers.ts';
import { operatorWorld } from './operator-world.ts';
import { eventually } from '../helpers/eventually.ts';

const CONTROLLERS = ['statefulset', 'garbage-collector', 'namespace', 'persistentvolume-binder', 'persistentvolumeclaim-protection'];
const DATA = 'data-demo-mysql-0';
const GROWING = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'growing' }, provisioner: 'example.com/none' };

describe('volumes, with the controllers of Kubernetes', () => {
  const { get, exists, gone, apply, becomes, server, admin, namespace } = operatorWorld(undefined, { own: true });
  let controllers: Controllers;
  before(async () => {
    await server().kubectl(['apply', '-f', '-'], JSON.stringify({ ...GROWING, allowVolumeExpansion: true }));
    controllers = startControllers(server(), CONTROLLERS);
  });
  after(() => controllers?.stop());
  const remove = () => server().kubectl(['-n', namespace(), 'delete', 'chatcluster', 'demo']);
  const confirm = (word: string) =>
    server().kubectl(['-n', namespace(), 'annotate', '--overwrite', 'chatcluster', 'demo', `chat.parley.dev/confirm-delete=${word}`]);
  /** A volume for the claim, which the binder gives it. */
  const makeVolume = async (): Promise<void> => {
    const volume: Resource = { kind: 'PersistentVolume', prefix: 'api/v1', plural: 'persistentvolumes' };
    const spec = {
      ...{ capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'growing', hostPath: { path: '/none' } },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: namespace(), name: DATA },
    };
    const body = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: `volume-${namespace()}` }, spec };
    await admin().request('POST', pathOf(volume), { body });
    await eventually('a bound claim', async () => {
      const { phase } = ((await get('PersistentVolumeClaim', DATA))?.['status'] ?? {}) as { phase?: string };
      return phase === 'Bound';
    });
  };

  it('no default class: told with the next step', async () => {
    await apply({});
    const { message } = await becomes('StorageReady', 'False', 'ClaimPending');
    assert.match(message, /data-demo-mysql-0 of mysql gets no volume: it names no storage class.*no default one.*is-default-class=true/);
    assert.match((await becomes('Ready', 'False', 'DependenciesNotReady')).message, /no default one/);
  });

  it('a class that there is not: told in the words of Kubernetes', async () => {
    await apply({ mysql: { storage: { class: 'missing' } }, redis: { storage: { class: 'growing' } } });
    await eventually('its words', async () => /storageclass.*"missing" not found/.test((await becomes('StorageReady', 'False')).message));
  });

  it('volumes that would go: a deletion needs the name as a word of confirmation; the refusal says so', async () => {
    await apply({ mysql: { storage: { whenDeleted: 'Delete' } }, redis: { storage: { whenDeleted: 'Delete' } } });
    await exists('PersistentVolumeClaim', DATA);
    const refusal = new RegExp(
      `volumes of mysql, redis have whenDeleted: Delete.*kubectl -n ${namespace()} annotate chatcluster demo chat\\.parley\\.dev/confirm-delete=demo`,
    );
    await assert.rejects(remove(), refusal);
    await confirm('other');
    await assert.rejects(remove(), refusal);
    await assert.rejects(server().kubectl(['-n', namespace(), 'delete', 'chatclusters', '--all']), refusal);
    await confirm('demo');
    await remove();
    await gone('StatefulSet', 'demo-mysql');
    await gone('PersistentVolumeClaim', DATA);
    assert.ok(await get('PersistentVolumeClaim', 'data-demo-postgres-0'), 'the one that is retained');
  });

  it('volumes that stay: no word is asked for', async () => {
    await apply({ mysql: { mode: 'external', storage: { whenDeleted: 'Delete' }, external: { urlSecretRef: { name: 'x' } } } });
    await exists('PersistentVolumeClaim', 'data-demo-redis-0');
    await remove();
    await gone('StatefulSet', 'demo-redis');
    assert.ok(await get('PersistentVolumeClaim', 'data-demo-redis-0'));
  });

  it('a namespace goes without a word, and with all that is in it', async () => {
    await apply({ mysql: { storage: { whenDeleted: 'Delete' } } });
    await exists('PersistentVolumeClaim', DATA);
    await server().kubectl(['delete', 'namespace', namespace(), '--timeout=100s']);
    await assert.rejects(server().kubectl(['get', 'namespace', namespace()]), /not found/);
  });

  it('a StatefulSet is made again around its pods, also one whose volumes go with it', async () => {
    const spec = (size: string) => ({ mysql: { storage: { class: 'growing', whenDeleted: 'Delete', size } } });
    await apply(spec('5Gi'));
    await exists('PersistentVolumeClaim', DATA);
    await makeVolume();
    const pod = await eventually('a pod', async () => {
      const { items }: { items: KubeObject[] } = await admin().request('GET', pathOf(pods, namespace()));
      return items.find(({ metadata }) => metadata.name === 'demo-mysql-0');
    });
    const [claim, set] = [await exists('PersistentVolumeClaim', DATA), await exists('StatefulSet', 'demo-mysql')];
    await apply(spec('8Gi'));
    const next = await eventually('another StatefulSet', async () => {
      const found = await get('StatefulSet', 'demo-mysql');
      return found && found.metadata.uid !== set.metadata.uid && found;
    });
    assert.match(JSON.stringify(next['spec']), /"storage":"8Gi"/);
    const ownerOf = async (kind: string, name: string) => (await get(kind, name))?.metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
    await eventually('the pod has its new owner', async () => (await ownerOf('Pod', 'demo-mysql-0')).includes(next.metadata.uid ?? ''));
    await eventually('the claim, too', async () => (await ownerOf('PersistentVolumeClaim', DATA)).includes(next.metadata.uid ?? ''));
    assert.equal((await get('Pod', 'demo-mysql-0'))?.metadata.uid, pod.metadata.uid);
    assert.equal((await get('PersistentVolumeClaim', DATA))?.metadata.uid, claim.metadata.uid);
    await confirm('demo');
  });
});

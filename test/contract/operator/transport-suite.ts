// What the operator relies on of a transport. Run against the in-memory twin and against a real API server.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Reflector } from '../../../operator/src/kube/reflector.ts';
import { isConflict, isNotFound, type KubeObject, type KubeTransport } from '../../../operator/src/kube/transport.ts';
import { eventually } from '../../helpers/eventually.ts';

const NAMESPACE = 'default';
const COLLECTION = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const path = (name: string) => `${COLLECTION}/${name}`;
const object = (name: string, data: Record<string, string>, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: NAMESPACE, labels },
  data,
});

export function transportSuite(get: () => KubeTransport): void {
  const apply = (name: string, data: Record<string, string>, manager = 'one'): Promise<KubeObject> =>
    get().request('PATCH', path(name), {
      query: { fieldManager: manager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: object(name, data, { suite: 'apply' }),
    });

  it('tells what does not exist by 404, and what exists already by 409', async () => {
    await assert.rejects(get().request('GET', path('nothing')), isNotFound);
    await get().request('POST', COLLECTION, { body: object('once', {}) });
    await assert.rejects(get().request('POST', COLLECTION, { body: object('once', {}) }), isConflict);
    await get().request('DELETE', path('once'));
    await assert.rejects(get().request('DELETE', path('once')), isNotFound);
  });

  it('deletes by uid that one and no other of its name', async () => {
    const first: KubeObject = await get().request('POST', COLLECTION, { body: object('deleted', {}) });
    const remove = (uid: string | undefined) => get().request('DELETE', path('deleted'), { body: { preconditions: { uid } } });
    await assert.rejects(remove('another'), isConflict);
    await remove(first.metadata.uid);
    await assert.rejects(get().request('GET', path('deleted')), isNotFound);
  });

  it('lists by label', async () => {
    await get().request('POST', COLLECTION, { body: object('red', {}, { colour: 'red' }) });
    await get().request('POST', COLLECTION, { body: object('blue', {}, { colour: 'blue' }) });
    const { items }: { items: KubeObject[] } = await get().request('GET', COLLECTION, { query: { labelSelector: 'colour=red' } });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['red'],
    );
  });

  it('refuses a write from an older version', async () => {
    const first: KubeObject = await get().request('POST', COLLECTION, { body: object('versions', { a: '1' }) });
    await get().request('PUT', path('versions'), { body: { ...first, data: { a: '2' } } });
    await assert.rejects(get().request('PUT', path('versions'), { body: { ...first, data: { a: '3' } } }), isConflict);
  });

  it('creates by apply, keeps the fields of others, takes out what is no longer applied', async () => {
    const { uid } = (await apply('applied', { a: '1', b: '1' })).metadata;
    await apply('applied', { c: '1' }, 'another');
    const last = await apply('applied', { a: '2' });
    assert.deepEqual(last['data'], { a: '2', c: '1' });
    assert.equal(last.metadata.uid, uid);
  });

  it('an apply that changes nothing is no new version', async () => {
    const first = await apply('same', { a: '1' });
    assert.equal((await apply('same', { a: '1' })).metadata.resourceVersion, first.metadata.resourceVersion);
  });

  it('removes a field by a merge patch with null', async () => {
    await get().request('POST', COLLECTION, { body: object('patched', { a: '1', b: '1' }) });
    const patched: KubeObject = await get().request('PATCH', path('patched'), {
      contentType: 'application/merge-patch+json',
      body: { data: { a: null, c: '1' } },
    });
    assert.deepEqual(patched['data'], { b: '1', c: '1' });
  });

  it('a ConfigMap has no generation; that of a policy moves with its spec', async () => {
    assert.equal((await apply('ungenerated', { a: '1' })).metadata.generation, undefined);
    const policies = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`;
    const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'counted', namespace: NAMESPACE } };
    const made: KubeObject = await get().request('POST', policies, { body: { ...policy, spec: { podSelector: {} } } });
    assert.equal(made.metadata.generation, 1);
    const change = (body: object): Promise<KubeObject> =>
      get().request('PATCH', `${policies}/counted`, { contentType: 'application/merge-patch+json', body });
    assert.equal((await change({ metadata: { labels: { a: 'b' } } })).metadata.generation, 1);
    assert.equal((await change({ spec: { podSelector: { matchLabels: { a: 'b' } } } })).metadata.generation, 2);
    await get().request('DELETE', `${policies}/counted`);
  });

  it('a status is written beside the spec, and nothing else with it', async () => {
    const budgets = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets`;
    const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'told', namespace: NAMESPACE } };
    await get().request('POST', budgets, { body: { ...budget, spec: { maxUnavailable: 1, selector: { matchLabels: { a: 'b' } } } } });
    const numbers = { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2 };
    const told: KubeObject = await get().request('PATCH', `${budgets}/told/status`, {
      contentType: 'application/merge-patch+json',
      body: { status: numbers, spec: { maxUnavailable: 2 } },
    });
    assert.equal((told['status'] as typeof numbers).currentHealthy, 2);
    assert.equal((told['spec'] as { maxUnavailable: number }).maxUnavailable, 1);
    assert.equal(told.metadata.generation, 1);
    await assert.rejects(
      get().request('PATCH', `${budgets}/nothing/status`, { contentType: 'application/merge-patch+json', body: { status: numbers } }),
      isNotFound,
    );
    await get().request('DELETE', `${budgets}/told`);
  });

  it('a reflector follows what is there, what comes, what changes and what goes', async () => {
    const labels = { suite: 'reflector' };
    await get().request('POST', COLLECTION, { body: object('there', { v: '1' }, labels) });
    const changes: string[] = [];
    const reflector = new Reflector({
      transport: get(),
      path: '/api/v1/configmaps',
      labelSelector: 'suite=reflector',
      onChange: ({ metadata }) => {
        changes.push(metadata.name);
        throw new Error('a handler that throws does not end the watch');
      },
    });
    reflector.start();
    await reflector.synced;
    const value = (name: string) => (reflector.store.get(`${NAMESPACE}/${name}`)?.['data'] as Record<string, string> | undefined)?.['v'];
    assert.equal(value('there'), '1');
    await get().request('POST', COLLECTION, { body: object('new', { v: '1' }, labels) });
    await get().request('POST', COLLECTION, { body: object('unlabelled', { v: '1' }) });
    await eventually('the new one', () => value('new') === '1');
    await get().request('PATCH', path('there'), { contentType: 'application/merge-patch+json', body: { data: { v: '2' } } });
    await eventually('the change', () => value('there') === '2');
    await get().request('DELETE', path('there'));
    await eventually('the end', () => value('there') === undefined);
    assert.equal(value('unlabelled'), undefined);
    assert.deepEqual(changes.slice(0, 2), ['there', 'new']);
    await reflector.stop();
  });

  it('a reflector that is stopped stays stopped', async () => {
    const reflector = new Reflector({ transport: get(), path: COLLECTION, onChange: () => {} });
    reflector.start();
    reflector.start();
    await reflector.synced;
    await reflector.stop();
    await get().request('POST', COLLECTION, { body: object('late', {}) });
    await sleep(50);
    assert.equal(reflector.store.get(`${NAMESPACE}/late`), undefined);
  });
}

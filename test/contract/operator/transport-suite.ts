// What the operator relies on of a transport. Run against the in-memory twin and against a real API server.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Reflector } from '../../../operator/src/kube/reflector.ts';
import { isConflict, isNotFound, type KubeObject, type KubeTransport } from '../../../operator/src/kube/transport.ts';

const NAMESPACE = 'default';
const COLLECTION = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const path = (name: string) => `${COLLECTION}/${name}`;
const object = (name: string, data: Record<string, string>, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: NAMESPACE, labels },
  data,
});

async function eventually(what: string, check: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await sleep(10);
  }
}

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

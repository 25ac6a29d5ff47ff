// The in-memory twin passes the suite of the transport; and what only it can show.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reflector } from '../../../operator/src/kube/reflector.ts';
import { MemoryKube } from '../../helpers/memory-kube.ts';
import { transportSuite } from './transport-suite.ts';

describe('transport: in memory', () => {
  const kube = new MemoryKube();
  transportSuite(() => kube);

  it('a reflector whose version is too old lists again and misses nothing', async () => {
    const collection = '/api/v1/namespaces/default/configmaps';
    const body = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });
    const twin = new MemoryKube();
    await twin.request('POST', collection, { body: body('first') });
    let streams = 0;
    const restarts: string[] = [];
    const reflector = new Reflector({
      transport: {
        request: (method, path, options) => twin.request(method, path, options),
        async *stream(path, query, signal) {
          if (++streams === 1) {
            // Between list and watch the history is thrown away.
            await twin.request('POST', collection, { body: body('second') });
            await twin.request('DELETE', `${collection}/first`);
            twin.compact();
          }
          yield* twin.stream(path, query, signal);
        },
      },
      path: collection,
      onChange: () => {},
      onRestart: (reason) => restarts.push(reason),
      random: () => 0,
    });
    reflector.start();
    const deadline = performance.now() + 60_000;
    while (streams < 2 && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      reflector.store.list().map(({ metadata }) => metadata.name),
      ['second'],
    );
    assert.deepEqual(restarts, ['too old resource version']);
    await reflector.stop();
  });

  it('a silent watch is started over', async () => {
    const twin = new MemoryKube();
    const restarts: string[] = [];
    const reflector = new Reflector({
      transport: twin,
      path: '/api/v1/configmaps',
      onChange: () => {},
      onRestart: (reason) => restarts.push(reason),
      idleMs: 5,
      backoffBaseMs: 1,
    });
    reflector.start();
    const deadline = performance.now() + 60_000;
    while (restarts.length < 2 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.match(restarts[0] ?? '', /silent/);
    await reflector.stop();
  });
});

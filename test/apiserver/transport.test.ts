// The real transport passes the suite of the transport, and lives with connections that are cut or fall silent.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { kubeClient } from '../../operator/src/kube/client.ts';
import { Reflector } from '../../operator/src/kube/reflector.ts';
import type { KubeTransport } from '../../operator/src/kube/transport.ts';
import { transportSuite } from '../contract/operator/transport-suite.ts';
import { startApiServer, type ApiServer } from '../helpers/apiserver.ts';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';

const COLLECTION = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });

async function eventually(what: string, check: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await sleep(10);
  }
}

describe('transport: a real API server', () => {
  let server: ApiServer;
  let transport: KubeTransport;
  let proxy: TcpProxy;
  before(async () => {
    server = await startApiServer();
    transport = server.transport();
    proxy = await startTcpProxy(new URL(server.kubeConfig().getCurrentCluster()?.server ?? ''));
  });
  after(async () => {
    await proxy?.close();
    await server?.stop();
  });
  transportSuite(() => transport);

  const throughProxy = (): KubeTransport => {
    const { clusters, users, contexts, currentContext } = server.kubeConfig();
    const config = new KubeConfig();
    const server_ = `https://127.0.0.1:${proxy.port}`;
    config.loadFromOptions({ clusters: clusters.map((each) => ({ ...each, server: server_ })), users, contexts, currentContext });
    return kubeClient({}, config);
  };

  it('many calls take one connection', async () => {
    const client = throughProxy();
    const before = proxy.accepted;
    for (let call = 0; call < 50; call++) await client.request('GET', COLLECTION);
    assert.equal(proxy.accepted - before, 1);
  });

  it('a call on a connection that was cut fails, the next one works', async () => {
    const client = throughProxy();
    await client.request('GET', COLLECTION);
    proxy.cut();
    // Either is right: the cut was noticed before the call, or during it.
    await client.request('GET', COLLECTION).catch(() => {});
    await client.request('GET', COLLECTION);
  });

  it('a watch whose connection is cut starts over and misses nothing', async () => {
    const restarts: string[] = [];
    const reflector = new Reflector({
      transport: throughProxy(),
      path: COLLECTION,
      onChange: () => {},
      onRestart: (reason) => restarts.push(reason),
      backoffBaseMs: 50,
    });
    reflector.start();
    await reflector.synced;
    await transport.request('POST', COLLECTION, { body: configMap('before-the-cut') });
    await eventually('the first', () => reflector.store.get('default/before-the-cut') !== undefined);
    proxy.cut();
    await transport.request('DELETE', `${COLLECTION}/before-the-cut`);
    await transport.request('POST', COLLECTION, { body: configMap('after-the-cut') });
    await eventually('the second', () => reflector.store.get('default/after-the-cut') !== undefined);
    assert.equal(reflector.store.get('default/before-the-cut'), undefined);
    assert.ok(restarts.length >= 1);
    await reflector.stop();
  });

  it('a watch whose connection falls silent starts over', async () => {
    const restarts: string[] = [];
    const reflector = new Reflector({
      transport: throughProxy(),
      path: COLLECTION,
      onChange: () => {},
      onRestart: (reason) => restarts.push(reason),
      idleMs: 300,
      backoffBaseMs: 50,
    });
    reflector.start();
    await reflector.synced;
    await eventually('a watch', () => proxy.open > 0);
    proxy.silence();
    await transport.request('POST', COLLECTION, { body: configMap('in-silence') });
    await eventually('the restart', () => restarts.some((reason) => reason.includes('silent')));
    await eventually('what came meanwhile', () => reflector.store.get('default/in-silence') !== undefined);
    await reflector.stop();
  });

  it('a stream that is left early closes its connection', async () => {
    const client = throughProxy();
    await eventually('no connection', () => (proxy.cut(), proxy.open === 0));
    const stop = new AbortController();
    await transport.request('POST', COLLECTION, { body: configMap('streamed') });
    for await (const line of client.stream(COLLECTION, { watch: 'true', resourceVersion: '0' }, stop.signal)) {
      assert.ok(line.length > 0);
      break;
    }
    await eventually('the connection is closed', () => proxy.open === 0);
  });

  it('a stream that is aborted ends', async () => {
    const stop = new AbortController();
    const client = throughProxy();
    const ended = (async () => {
      for await (const line of client.stream('/api/v1/services', { watch: 'true' }, stop.signal)) assert.ok(line.length > 0);
    })();
    await eventually('a connection', () => proxy.open > 0);
    setTimeout(() => stop.abort(), 200);
    await assert.rejects(ended, /abort/i);
  });
});

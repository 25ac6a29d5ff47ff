// The real transport passes the suite of the transport, and lives with connections that are cut or fall silent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { kubeClient } from '../../operator/src/kube/client.ts';
import { Reflector } from '../../operator/src/kube/reflector.ts';
import { ApiError, type KubeTransport } from '../../operator/src/kube/transport.ts';
import { transportSuite } from '../contract/operator/transport-suite.ts';
import { startApiServer, type ApiServer } from '../helpers/apiserver.ts';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { eventually } from '../helpers/eventually.ts';

const COLLECTION = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });

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

  const throughPort = (port: number, answerWithinMs = 60_000): KubeTransport => {
    const { clusters, users, contexts, currentContext } = server.kubeConfig();
    const config = new KubeConfig();
    const server_ = `https://127.0.0.1:${port}`;
    config.loadFromOptions({ clusters: clusters.map((each) => ({ ...each, server: server_ })), users, contexts, currentContext });
    return kubeClient({ answerWithinMs }, config);
  };
  const throughProxy = (): KubeTransport => throughPort(proxy.port);
  /** A server that shows the API server's certificate and answers as the test says. */
  const withAnswer = async (answer: RequestListener, use: (port: number) => Promise<void>): Promise<void> => {
    const standIn = createServer(server.certificate(), answer);
    standIn.listen(0, '127.0.0.1');
    await once(standIn, 'listening');
    try {
      await use((standIn.address() as AddressInfo).port);
    } finally {
      standIn.closeAllConnections();
      standIn.close();
    }
  };

  it('an overloaded server: the answer says how long to wait', () =>
    withAnswer(
      (_, response) => response.writeHead(429, { 'retry-after': '3' }).end('{"reason":"TooManyRequests","message":"slow down"}'),
      (port) =>
        assert.rejects(throughPort(port).request('GET', COLLECTION), (error) => {
          assert.ok(error instanceof ApiError);
          assert.deepEqual([error.status, error.retryAfterMs, error.message], [429, 3000, 'slow down']);
          return true;
        }),
    ));

  it('an answer that trickles for ever is given up', async () => {
    const trickles: NodeJS.Timeout[] = [];
    await withAnswer(
      (_, response) => {
        response.writeHead(200);
        trickles.push(setInterval(() => response.write(' '), 20));
      },
      (port) => assert.rejects(throughPort(port, 300).request('GET', COLLECTION), /did not end its answer within 0\.3 s/),
    );
    trickles.forEach(clearInterval);
  });

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

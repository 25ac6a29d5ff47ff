// The canary of a cluster on kind, a HAProxy that goes, and a certificate that is renewed under an open socket.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { WebSocket } from 'ws';
import { makeCertificate } from '../helpers/certificates.ts';
import { clusterReady, eventually, forward, kind, kubectl, user } from './kind.ts';

interface Status {
  readyReplicas?: number;
  delivery?: { lost: number; duplicated: number; misordered: number };
  connections?: { total: number; perReplica: { name: string; connections: number }[] };
  conditions?: { type: string; status: string; message: string }[];
}

const SECRET = 'e2e-tls';
const LONG_MS = 300_000;

describe('delivery on kind', { concurrency: false, timeout: 900_000 }, () => {
  const cluster = `chatcluster/${kind.chatCluster}`;
  const folder = mkdtempSync(join(tmpdir(), 'parley-e2e-tls-'));
  const status = async () => JSON.parse(await kubectl('get', cluster, '-o', 'jsonpath={.status}')) as Status;
  const patch = (spec: object) => kubectl('patch', cluster, '--type=merge', '-p', JSON.stringify({ spec }));
  const healthy = () =>
    eventually('DeliveryHealthy', async () => {
      const { conditions = [], delivery } = await status();
      const found = conditions.find(({ type }) => type === 'DeliveryHealthy');
      return found?.status === 'True' && delivery;
    });
  const nothingBroken = async () => {
    const { lost, duplicated, misordered } = await healthy();
    assert.deepEqual({ lost, duplicated, misordered }, { lost: 0, duplicated: 0, misordered: 0 });
  };
  const proxies = async () =>
    (await kubectl('get', 'pods', '-l', 'app.kubernetes.io/component=haproxy', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');

  before(() => clusterReady());
  after(async () => {
    await patch({ ingress: { tls: null } });
    await kubectl('delete', 'secret', SECRET, '--ignore-not-found');
    rmSync(folder, { recursive: true });
  });

  test('the canary holds a socket on every replica and finds nothing wrong', async () => {
    await nothingBroken();
    await eventually('a socket of the canary on each replica', async () => {
      const { connections, readyReplicas } = await status();
      const holding = connections?.perReplica.filter((each) => each.connections > 0).length;
      return holding === readyReplicas && connections !== undefined && connections.total >= (readyReplicas ?? 0) + 2;
    });
  });

  test('HAProxy pods that go have their sockets asked to reconnect first; nothing is lost', { timeout: LONG_MS }, async () => {
    for (const name of await proxies()) {
      await kubectl('delete', 'pod', name, '--wait=false');
      await kubectl('rollout', 'status', `deployment/${kind.chatCluster}-haproxy`, '--timeout=120s');
    }
    // Two sockets of the canary go through them.
    await eventually('the event that tells of it', async () =>
      (await kubectl('get', 'events.events.k8s.io', '-o', 'jsonpath={.items[*].reason}')).includes('ProxyDrained'),
    );
    await nothingBroken();
  });

  test('TLS, and a certificate that is renewed while a socket is open', { timeout: LONG_MS * 2 }, async () => {
    const store = async (name: string) => {
      makeCertificate(folder, { name });
      const files = [`--cert=${join(folder, 'tls.crt')}`, `--key=${join(folder, 'tls.key')}`];
      const manifest = await kubectl('create', 'secret', 'tls', SECRET, ...files, '--dry-run=client', '-o', 'json');
      const { data } = JSON.parse(manifest) as { data: object };
      await kubectl('create', 'secret', 'tls', SECRET, ...files).catch(() =>
        kubectl('patch', 'secret', SECRET, '--type=merge', '-p', JSON.stringify({ data })),
      );
    };
    const plain = await forward(`service/${kind.chatCluster}-haproxy`, 8080);
    const { token } = await user(`http://127.0.0.1:${plain.port}`, 'tess');
    plain.stop();
    await store('first.test');
    await patch({ ingress: { tls: { secretName: SECRET } } });
    const [proxy = ''] = await eventually('two HAProxies with TLS', async () => {
      const lines = await kubectl(
        ...['get', 'pods', '-l', 'app.kubernetes.io/component=haproxy', '-o'],
        'jsonpath={range .items[*]}{.metadata.deletionTimestamp}{.status.containerStatuses[*].ready},{.spec.containers[*].name},{.metadata.name}{"\\n"}{end}',
      );
      const ready = lines.split('\n').filter((line) => line.startsWith('true true,haproxy certificates,'));
      return ready.length === 2 ? ready.map((line) => line.split(',')[2]) : undefined;
    });
    // By its name: a port-forward of the Service may choose a pod of before, which is on its way out and speaks no TLS.
    const entry = await forward(`pod/${proxy}`, 8085);
    try {
      const shown = () =>
        new Promise<string>((resolve, reject) => {
          const socket = connect({ host: '127.0.0.1', port: entry.port, rejectUnauthorized: false }, () => {
            resolve(new X509Certificate(socket.getPeerCertificate().raw).subject);
            socket.destroy();
          });
          socket.on('error', reject);
        });
      assert.equal(await shown(), 'CN=first.test');
      const socket = new WebSocket(`wss://127.0.0.1:${entry.port}/api/ws?token=${token}`, { rejectUnauthorized: false });
      const [welcome] = (await once(socket, 'message')) as [Buffer];
      assert.equal((JSON.parse(welcome.toString()) as { type: string }).type, 'welcome');
      await store('second.test');
      await eventually('the renewed certificate', async () => (await shown()) === 'CN=second.test', LONG_MS);
      assert.equal(socket.readyState, WebSocket.OPEN, 'the open socket stays');
      socket.terminate();
    } finally {
      entry.stop();
    }
    await nothingBroken();
  });
});

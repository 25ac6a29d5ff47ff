// TLS on the public ports of a real HAProxy, and a certificate that is renewed under an open socket.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { haproxyConfig } from '@parley/cdk8s/haproxy';
import { certificatesConfig, startCertificates, type RunningCertificates } from '@parley/certificates';
import { createLog, loadConfig } from '@parley/kit/process';
import { WebSocket, WebSocketServer } from 'ws';
import { makeCertificate } from '../../helpers/certificates.ts';
import { freePort, startServers, type Servers } from '../../helpers/servers.ts';
import { eventually } from '../../helpers/eventually.ts';

describe('TLS', () => {
  let servers: Servers<never>;
  let follower: RunningCertificates;
  let listen: { gateway: number; chat: number; stats: number };
  let folder: string;
  const service = createServer((request, response) => response.end(request.headers['x-forwarded-for']));
  const sockets = new WebSocketServer({ server: service });
  sockets.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)));

  /** As the kubelet does it: a new folder, then one link is swapped. */
  let round = 0;
  const store = (make: (dir: string) => void): void => {
    const dir = join(folder, `..${++round}`);
    mkdirSync(dir);
    make(dir);
    symlinkSync(`..${round}`, join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    if (round === 1) for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(folder, name));
  };
  /** The certificate that a new handshake is shown. */
  const shown = (port: number, options: { maxVersion?: 'TLSv1.1'; minVersion?: 'TLSv1.1' } = {}): Promise<X509Certificate> =>
    new Promise((resolve, reject) => {
      const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
        resolve(new X509Certificate(socket.getPeerCertificate().raw));
        socket.destroy();
      });
      socket.on('error', reject);
    });
  const metric = async (text: string): Promise<boolean> =>
    (await (await fetch(`http://127.0.0.1:${follower.adminPort}/metrics`)).text()).includes(text);

  before(async () => {
    servers = await startServers<never>([]);
    folder = join(servers.dir, 'tls');
    mkdirSync(folder);
    store((dir) => makeCertificate(dir, { name: 'first.test' }));
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    const upstream = { servers: [{ name: 'one', host: '127.0.0.1', port, adminPort: port }] };
    listen = { gateway: await freePort(), chat: await freePort(), stats: await freePort() };
    const runtimeSocket = join(servers.dir, 'haproxy', 'runtime.sock');
    const config = haproxyConfig({
      ...{ bindAddress: '127.0.0.1', listen, chat: upstream, core: upstream, gateway: upstream, resolvers: false },
      tls: { certificate: join(folder, 'tls.crt') },
      stats: { user: 'parley', password: 'stats-password' },
      ...{ maxconn: 1000, fdHardLimit: 4000, trustedProxies: [], perIpConnRate: 0, runtimeSocket, hardStopAfterSeconds: 5 },
    });
    await servers.haproxy({ config, ports: [listen.stats] });
    const env = {
      CERTIFICATE_FILE: join(folder, 'tls.crt'),
      ...{ RUNTIME_SOCKET: runtimeSocket, LOOK_INTERVAL_MS: '50', ADMIN_PORT: '0', ADMIN_HOST: '127.0.0.1' },
    };
    const log = createLog({ service: 'certificates', instance: 'test', level: 'fatal' });
    follower = await startCertificates({ config: loadConfig(certificatesConfig, env, () => ''), log, instance: 'test' });
  });
  after(async () => {
    await follower?.close();
    await servers?.stop();
    for (const socket of sockets.clients) socket.terminate();
    service.closeAllConnections();
    service.close();
  });

  it('answers on both public ports by TLS 1.2 or newer only, and tells services the address of the client', async () => {
    for (const port of [listen.gateway, listen.chat]) {
      assert.equal((await shown(port)).subject, 'CN=first.test');
      await assert.rejects(shown(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
      await assert.rejects(fetch(`http://127.0.0.1:${port}/api/health`));
    }
  });

  it('shows a renewed certificate to new clients while an open socket stays', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${listen.chat}/api/ws`, { rejectUnauthorized: false });
    await once(socket, 'open');
    store((dir) => makeCertificate(dir, { name: 'second.test' }));
    await eventually('the second certificate', async () => (await shown(listen.chat)).subject === 'CN=second.test');
    assert.equal((await shown(listen.gateway)).subject, 'CN=second.test');
    const answer = once(socket, 'message');
    socket.send('still here');
    assert.equal(String((await answer)[0]), 'echo still here');
    socket.terminate();
    await eventually('the update is counted', () => metric('parley_tls_certificate_looks_total{result="updated",'));
  });

  it('keeps the certificate when the new pair cannot be used, says so, and takes the next good one', async () => {
    store((dir) => {
      const other = join(dir, 'other');
      mkdirSync(other);
      makeCertificate(other);
      makeCertificate(dir, { name: 'third.test' });
      // The key of somebody else.
      renameSync(join(other, 'tls.key'), join(dir, 'tls.key'));
    });
    const ready = () => fetch(`http://127.0.0.1:${follower.adminPort}/readyz`);
    const problem = await eventually('the follower says why', async () => {
      const answer = await ready();
      return answer.status === 503 && (await answer.text());
    });
    assert.match(problem, /tls\.key does not belong/);
    assert.equal((await shown(listen.chat)).subject, 'CN=second.test');
    store((dir) => makeCertificate(dir, { name: 'fourth.test' }));
    await eventually('the fourth certificate', async () => (await shown(listen.chat)).subject === 'CN=fourth.test');
    await eventually('the follower is ready', async () => (await ready()).status === 200);
  });
});

// The HAProxy configuration in a real HAProxy: routes, spreading, checks of the admin port, addresses, answers of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { HaproxyInput } from '@parley/cdk8s';
import { haproxyConfig } from '@parley/cdk8s/haproxy';
import { WebSocket, WebSocketServer } from 'ws';
import { freePort, removeFolder, startServers, temporaryFolder, type Servers } from '../../helpers/servers.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { renderedSamples } from '../../unit/cdk8s/rendered.ts';
import { eventually } from '../../helpers/eventually.ts';

/** A service that answers with its name, and an admin port whose readiness can be switched. */
async function startUpstream(name: string) {
  const seen: { url: string; headers: IncomingHttpHeaders }[] = [];
  const upstream = { ready: true };
  const service = createServer((request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers });
    response.end(name);
  });
  const sockets = new WebSocketServer({ server: service });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => socket.send(`${name}:${data.toString()}`));
  });
  const admin = createServer((_request, response) => response.writeHead(upstream.ready ? 200 : 503).end());
  const listen = async (server: HttpServer): Promise<number> => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const [port, adminPort] = [await listen(service), await listen(admin)];
  return Object.assign(upstream, {
    seen,
    server: { name, host: '127.0.0.1', port, adminPort },
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      for (const server of [service, admin]) {
        server.closeAllConnections();
        server.close();
      }
    },
  });
}

describe('HAProxy', () => {
  let servers: Servers<never>;
  let input: HaproxyInput;
  const upstreams: Record<string, Awaited<ReturnType<typeof startUpstream>>> = {};
  const chats = ['chat-0', 'chat-1', 'chat-2'];
  const url = (port: keyof HaproxyInput['listen'], path: string) => `http://127.0.0.1:${input.listen[port]}${path}`;
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${input.listen.chat}/api/ws?token=secret-token`);
    await once(socket, 'open');
    return socket;
  };
  const nameOf = async (socket: WebSocket): Promise<string> => {
    const answer = once(socket, 'message');
    socket.send('x');
    return String((await answer)[0]).split(':')[0] ?? '';
  };

  before(async () => {
    for (const name of [...chats, 'core', 'gateway']) upstreams[name] = await startUpstream(name);
    const serversOf = (names: string[]) => ({ servers: names.map((name) => upstreams[name]?.server ?? assert.fail()) });
    servers = await startServers<never>([]);
    input = {
      bindAddress: '127.0.0.1',
      listen: { gateway: await freePort(), chat: await freePort(), stats: await freePort() },
      chat: serversOf(chats),
      core: serversOf(['core']),
      gateway: serversOf(['gateway']),
      resolvers: false,
      stats: { user: 'parley', password: 'stats-password' },
      maxconn: 1000,
      fdHardLimit: 4000,
      trustedProxies: [],
      perIpConnRate: 0,
      runtimeSocket: join(servers.dir, 'haproxy', 'runtime.sock'),
      hardStopAfterSeconds: 5,
    };
    await servers.haproxy({ config: haproxyConfig(input), ports: [input.listen.chat, input.listen.gateway, input.listen.stats] });
  });
  after(async () => {
    await servers?.stop();
    for (const upstream of Object.values(upstreams)) upstream.close();
  });

  it('names several instances when health is asked for several times', async () => {
    const names = new Set<string>();
    for (let i = 0; i < 6; i++) names.add(await (await fetch(url('chat', '/api/health'))).text());
    assert.deepEqual([...names].sort(), chats);
  });

  it('spreads sockets evenly over the replicas', async () => {
    const sockets = await Promise.all(Array.from({ length: 9 }, open));
    const count: Record<string, number> = {};
    for (const socket of sockets) count[await nameOf(socket)] = (count[await nameOf(socket)] ?? 0) + 1;
    for (const socket of sockets) socket.terminate();
    assert.deepEqual(Object.keys(count).sort(), chats);
    for (const share of Object.values(count)) assert.ok(share >= 2 && share <= 4, JSON.stringify(count));
  });

  it('sends REST on the chat port to core and all of the gateway port to the gateway', async () => {
    assert.equal(await (await fetch(url('chat', '/api/rooms/r1/messages?limit=50'))).text(), 'core');
    assert.equal(await (await fetch(url('gateway', '/api/auth/login'))).text(), 'gateway');
  });

  it('answers a path that nobody serves with problem+json', async () => {
    const response = await fetch(url('chat', '/etc/passwd'));
    assert.equal(response.status, 404);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    const { code, request_id } = (await response.json()) as { code: string; request_id: string };
    assert.equal(code, 'not_found');
    assert.match(request_id, /^[0-9a-f-]{36}$/);
  });

  it('tells services the address it saw, not the one a client claims', async () => {
    await fetch(url('chat', '/api/rooms'), {
      headers: { 'x-forwarded-for': '1.2.3.4', 'x-real-ip': '1.2.3.4', forwarded: 'for=1.2.3.4', 'x-request-id': 'claimed' },
    });
    const { headers } = upstreams['core']?.seen.at(-1) ?? assert.fail();
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-real-ip'], undefined);
    assert.equal(headers['forwarded'], undefined);
    assert.notEqual(headers['x-request-id'], 'claimed');
  });

  it('keeps the sockets of a replica that drains, and gives it no new ones', async () => {
    const sockets = await Promise.all(Array.from({ length: 6 }, open));
    const names = await Promise.all(sockets.map(nameOf));
    const draining = upstreams['chat-0'] ?? assert.fail();
    draining.ready = false;
    await eventually('chat-0 counts as down', async () =>
      (await (await fetch(url('stats', '/metrics'))).text()).includes('haproxy_server_status{proxy="chat",server="chat-0",state="DOWN"} 1'),
    );
    const kept = sockets[names.indexOf('chat-0')] ?? assert.fail();
    assert.equal(await nameOf(kept), 'chat-0');
    const fresh = await Promise.all(Array.from({ length: 6 }, open));
    assert.ok(!(await Promise.all(fresh.map(nameOf))).includes('chat-0'));
    for (const socket of [...sockets, ...fresh]) socket.terminate();
    draining.ready = true;
  });

  it('says unavailable in problem+json when no replica is ready, and recovers', async () => {
    const gateway = upstreams['gateway'] ?? assert.fail();
    gateway.ready = false;
    await eventually('503', async () => (await fetch(url('gateway', '/api/users/me'))).status === 503);
    const response = await fetch(url('gateway', '/api/users/me'));
    assert.equal(((await response.json()) as { code: string }).code, 'unavailable');
    gateway.ready = true;
    await eventually('200', async () => (await fetch(url('gateway', '/api/users/me'))).status === 200);
  });

  it('shows its stats with the password only, its metrics and health without', async () => {
    assert.equal((await fetch(url('stats', '/'))).status, 401);
    const authorization = `Basic ${Buffer.from('parley:stats-password').toString('base64')}`;
    assert.match(await (await fetch(url('stats', '/'), { headers: { authorization } })).text(), /chat-2/);
    assert.match(await (await fetch(url('stats', '/metrics'))).text(), /haproxy_server_current_sessions\{proxy="chat",server="chat-0"\}/);
    assert.equal((await fetch(url('stats', '/healthz'))).status, 200);
  });

  it('is configured validly for every sample', () => {
    const dir = temporaryFolder();
    makeCertificate(dir);
    for (const { sample, objects } of renderedSamples()) {
      const config = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-haproxy'));
      const text = (config?.['data'] as Record<string, string>)['haproxy.cfg'] ?? '';
      writeFileSync(join(dir, 'haproxy.cfg'), text.replaceAll('/run/secrets/tls', dir));
      execFileSync('haproxy', ['-c', '-f', join(dir, 'haproxy.cfg')], {
        env: { ...process.env, STATS_USER: 'u', STATS_PASSWORD: 'p' },
        stdio: 'pipe',
      });
      assert.ok(!text.includes('allow-dup-ip'), sample.file);
    }
    removeFolder(dir);
  });
});

// HAProxy's configuration of a local start: the operator's function with the addresses of this machine.
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// The entry of its own: all of cdk8s would add most of a second to every start.
import { haproxyConfig } from '@parley/cdk8s/haproxy';
import type { Ports } from '../ports.ts';
import { openFilesLimit } from '#servers/processes/child';
import type { Secrets } from '../secrets.ts';

const HOST = '127.0.0.1';
/** Enough for a load test on a laptop, and two file descriptors each stay below a hard limit of 20,000. */
const CONNECTIONS_MAX = 8000;
/** Listeners, checks, logs, pipes. */
const OTHER_FILES = 500;

/** A longer path does not fit into the address of a Unix socket (108 bytes with its end; HAProxy binds a temporary name first). */
const SOCKET_PATH_MAX = 90;

export function ingressConfig({ ports, secrets, dir }: { ports: Ports; secrets: Secrets; dir: string }): string {
  // HAProxy refuses to start when it needs more files than the limit.
  const maxconn = Math.min(CONNECTIONS_MAX, Math.floor((openFilesLimit() - OTHER_FILES) / 2));
  return haproxyConfig({
    bindAddress: HOST,
    listen: { gateway: ports.gateway, chat: ports.chat, stats: ports.stats },
    chat: { servers: ports.chats.map(({ name, port, admin }) => ({ name, host: HOST, port, adminPort: admin })) },
    core: { servers: [{ name: 'core', host: HOST, port: ports.core, adminPort: ports.admin.core }] },
    gateway: { servers: [{ name: 'gateway', host: HOST, port: ports.gatewayInternal, adminPort: ports.admin.gateway }] },
    resolvers: false,
    stats: { user: secrets.statsUser, password: secrets.statsPassword },
    maxconn,
    fdHardLimit: 2 * maxconn + OTHER_FILES,
    trustedProxies: [],
    // Every client of this machine has the same address.
    perIpConnRate: 0,
    runtimeSocket: socketPath(dir),
    hardStopAfterSeconds: 10,
  });
}

function socketPath(dir: string): string {
  const path = join(dir, 'runtime.sock');
  if (path.length <= SOCKET_PATH_MAX) return path;
  return join(tmpdir(), `parley-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}.sock`);
}

// HAProxy's configuration of a local start: the operator's function with the addresses of this machine.
import { spawnSync } from 'node:child_process';
import { haproxyConfig } from '@parley/cdk8s';
import type { Ports } from '../ports.ts';
import type { Secrets } from '../secrets.ts';

const HOST = '127.0.0.1';
/** Enough for a load test on a laptop, and two file descriptors each stay below a hard limit of 20,000. */
const CONNECTIONS_MAX = 8000;
/** Listeners, checks, logs, pipes. */
const OTHER_FILES = 500;

export function ingressConfig({ ports, secrets }: { ports: Ports; secrets: Secrets }): string {
  const maxConnections = Math.min(CONNECTIONS_MAX, Math.floor((openFilesLimit() - OTHER_FILES) / 2));
  return haproxyConfig({
    bindAddress: HOST,
    listen: { gateway: ports.gateway, chat: ports.chat, stats: ports.stats },
    chat: { list: ports.chats.map(({ name, port, admin }) => ({ name, host: HOST, port, adminPort: admin })) },
    core: { list: [{ name: 'core', host: HOST, port: ports.core, adminPort: ports.admin.core }] },
    gateway: { list: [{ name: 'gateway', host: HOST, port: ports.gatewayInternal, adminPort: ports.admin.gateway }] },
    stats: { user: secrets.statsUser, password: secrets.statsPassword },
    maxConnections,
    fdHardLimit: 2 * maxConnections + OTHER_FILES,
    trustedProxies: [],
  });
}

/** What a child of this process may raise its limit to; HAProxy refuses to start when it needs more. */
function openFilesLimit(): number {
  const text = spawnSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  return text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text) || 4096;
}

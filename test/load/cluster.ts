// Several chat replicas behind HAProxy, as one server to be measured.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { haproxyConfig } from '@parley/cdk8s/haproxy';
import { freePort, type Servers } from '../helpers/servers.ts';
import { pin, prefer } from './pinned.ts';
import { startChat, type Running } from './subject.ts';

const HOST = '127.0.0.1';
const CONNECTIONS_MAX = 8000;

export interface ClusterOptions {
  servers: Servers<'mysql' | 'redis'>;
  replicas: number;
  core: number | undefined;
  env: Record<string, string>;
}

export async function startCluster({ servers, replicas, core, env }: ClusterOptions): Promise<Running> {
  const chats: Running[] = [];
  const killAll = async () => void (await Promise.all(chats.map((each) => each.kill())));
  try {
    for (let index = 0; index < replicas; index++) chats.push(await startChat({ core, env, nodeArgs: [] }, `chat-${index}`));
    const listen = { gateway: await freePort(), chat: await freePort(), stats: await freePort() };
    const unused = { servers: [{ name: 'none', host: HOST, port: await freePort(), adminPort: await freePort() }] };
    const config = haproxyConfig({
      bindAddress: HOST,
      listen,
      chat: { servers: chats.map(({ port, adminPort }, index) => ({ name: `chat-${index}`, host: HOST, port, adminPort })) },
      core: unused,
      gateway: unused,
      resolvers: false,
      stats: { user: 'bench', password: 'bench' },
      maxconn: CONNECTIONS_MAX,
      fdHardLimit: CONNECTIONS_MAX * 2 + 1000,
      trustedProxies: [],
      perIpConnRate: 0,
      runtimeSocket: join(servers.dir, 'haproxy', 'runtime.sock'),
      hardStopAfterSeconds: 5,
    });
    const haproxy = await servers.haproxy({ config, ports: [listen.chat, listen.stats] });
    const worker = childOf(haproxy.pid);
    if (core !== undefined) pin(worker, core);
    prefer(worker);
    return {
      port: listen.chat,
      adminPort: listen.stats,
      pids: { ...Object.assign({}, ...chats.map(({ pids }) => pids)), haproxy: worker } as Record<string, number>,
      failure: () => chats.map((each) => each.failure()).find((text) => text !== undefined),
      kill: async () => {
        await haproxy.stop();
        await killAll();
      },
      terminate: killAll,
    };
  } catch (error) {
    await killAll();
    throw error;
  }
}

/** HAProxy's master starts the process that does the work. */
function childOf(pid: number): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  if (!child) throw new Error('HAProxy has no worker process');
  return child;
}

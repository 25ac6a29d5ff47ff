// What is tested: one chat replica, and HAProxy in front of it with the configuration of the operator.
import { join } from 'node:path';
import { haproxyConfig } from '@parley/cdk8s/haproxy';
import { HARD_MESSAGE_MAX_BYTES } from '@parley/protocol';
import { startChatCluster, type ChatCluster } from '../helpers/chat-cluster.ts';
import { freePort } from '../helpers/servers.ts';

export interface Subject {
  cluster: ChatCluster;
  /** name in the report -> TCP port */
  ways: { name: string; port: number }[];
  stop(): Promise<void>;
}

export async function startSubject(): Promise<Subject> {
  // The largest configurable messages, so that the cases of Autobahn with 64 KiB are within the limit.
  const cluster = await startChatCluster(1, { MESSAGE_MAX_BYTES: String(HARD_MESSAGE_MAX_BYTES) });
  try {
    const [replica] = cluster.replicas;
    if (!replica) throw new Error('no replica');
    const port = Number(new URL(replica.http).port);
    const listen = { gateway: await freePort(), chat: await freePort(), stats: await freePort() };
    const chat = { name: 'chat-0', host: '127.0.0.1', port, adminPort: Number(new URL(replica.adminUrl).port) };
    const config = haproxyConfig({
      ...{ bindAddress: '127.0.0.1', listen, resolvers: false, maxconn: 1000, fdHardLimit: 4000, trustedProxies: [], perIpConnRate: 0 },
      // There is no gateway here; what HAProxy routes to it is not asked for.
      ...{ chat: { servers: [chat] }, core: { servers: [chat] }, gateway: { servers: [chat] } },
      stats: { user: 'parley', password: 'stats-password' },
      runtimeSocket: join(cluster.servers.dir, 'haproxy', 'runtime.sock'),
      hardStopAfterSeconds: 5,
    });
    await cluster.servers.haproxy({ config, ports: [listen.chat, listen.stats] });
    return {
      cluster,
      ways: [
        { name: 'chat', port },
        { name: 'through HAProxy', port: listen.chat },
      ],
      stop: () => cluster.stop(),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

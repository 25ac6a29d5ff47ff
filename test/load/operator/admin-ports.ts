// Answers as the admin ports of all chat replicas and canaries do, with figures that stand still.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { ports } from '@parley/cdk8s';

/** An address of this machine that nothing else uses. */
export const ADDRESS = '127.0.64.1';

const ANSWERS: Record<string, object> = {
  '/connections': { connections: 100, maxConnections: 10_000, draining: false },
  '/delivery': {
    ...{ state: 'ok', reason: 'Delivering', message: 'all is well', acked: 100, sockets: 5, replicas: 3 },
    ...{ lost: 0, duplicated: 0, misordered: 0, p50Ms: 2, p99Ms: 9 },
  },
};

export async function startAdminPorts(): Promise<Server> {
  const server = createServer(({ url = '' }, response) => {
    const answer = ANSWERS[url];
    response.statusCode = answer ? 200 : 404;
    response.end(JSON.stringify(answer ?? {}));
  }).listen(ports.admin, ADDRESS);
  await once(server, 'listening');
  return server;
}

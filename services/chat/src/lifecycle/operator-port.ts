// The admin port as the operator uses it: what it is told of a replica, and what it asks a replica to do. Open from the first moment on.
import { Value } from '@sinclair/typebox/value';
import { startAdmin, type Health } from '@parley/kit/process';
import type { Resources } from '@parley/kit/run';
import type { ChatConfig } from '../config.ts';
import { DrainRequest, Emptying } from './emptying.ts';
import { MoveRequest, SocketMover } from './move.ts';
import type { WsEdge } from '../sockets/ws.ts';

/** What is known of the replica by now; the rest of the service replaces what it knows better. */
export interface Told {
  connections: () => number;
  /** address of the Redis that it publishes to; undefined while Redis is away */
  redis: () => string | undefined;
  /** why MySQL stores nothing more */
  databaseFull: () => string | undefined;
}

interface OperatorPortOptions {
  config: ChatConfig;
  health: Health;
  registry: Parameters<typeof startAdmin>[0]['registry'];
  resources: Resources;
  told: Told;
  /** asked only once there is one */
  edge: () => WsEdge;
}

export interface OperatorPort {
  port: number;
  /** To be closed before the sockets are. */
  movers: readonly { close(): void }[];
}

export async function openOperatorPort({ config, health, registry, resources, told, edge }: OperatorPortOptions): Promise<OperatorPort> {
  const { adminHost: host, adminPort, maxConnections } = config;
  const sessions = () => edge().sessions;
  const mover = new SocketMover({ sessions, peerOf: (session) => edge().peerOf(session), pace: config });
  const emptying = new Emptying({ health, sessions, pace: config });
  const more = {
    '/connections': () => ({
      connections: told.connections(),
      maxConnections,
      draining: health.draining,
      asked: health.emptying,
      redis: told.redis(),
      databaseFull: told.databaseFull(),
    }),
  };
  const commands = {
    '/drain': (body: unknown) => emptying.ask(Value.Decode(DrainRequest, body)),
    '/reconnect': (body: unknown) => mover.move(Value.Decode(MoveRequest, body)),
  };
  const admin = resources.add('admin', await startAdmin({ host, port: adminPort, health, registry, more, commands }), (server) =>
    server.close(),
  );
  return { port: admin.port, movers: [mover, emptying] };
}

// The admin port as the operator uses it: what it is told of a replica, and what it asks a replica to do. Open from the first moment on, when
// little is known yet.
import { Value } from '@sinclair/typebox/value';
import { startAdmin, type Health } from '@parley/kit/process';
import type { Resources } from '@parley/kit/run';
import type { ChatConfig } from '../config.ts';
import type { Session } from '../sockets/session.ts';
import { DrainRequest, Emptying } from './emptying.ts';
import { MoveRequest, SocketMover } from './move.ts';

/** What the replica is connected to. */
export interface Dependencies {
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
  sessions: ReadonlySet<Session>;
}

export interface OperatorPort {
  port: number;
  /** From here on these are told, too. */
  tell(dependencies: Dependencies): void;
  /** To be closed before the sockets are. */
  movers: readonly { close(): void }[];
}

export async function openOperatorPort({ config, health, registry, resources, sessions }: OperatorPortOptions): Promise<OperatorPort> {
  const { adminHost: host, adminPort, maxConnections } = config;
  const mover = new SocketMover({ sessions, pace: config });
  const emptying = new Emptying({ health, sessions, pace: config });
  let dependencies: Dependencies | undefined;
  const more = {
    '/connections': () => ({
      ...{ connections: sessions.size, maxConnections },
      ...{ draining: health.draining, asked: health.emptying },
      ...{ redis: dependencies?.redis(), databaseFull: dependencies?.databaseFull() },
    }),
  };
  const commands = {
    '/drain': (body: unknown) => emptying.ask(Value.Decode(DrainRequest, body)),
    '/reconnect': (body: unknown) => mover.move(Value.Decode(MoveRequest, body)),
  };
  const admin = await startAdmin({ host, port: adminPort, health, registry, more, commands });
  resources.add('admin', admin, (server) => server.close());
  return { port: admin.port, tell: (known) => (dependencies = known), movers: [mover, emptying] };
}

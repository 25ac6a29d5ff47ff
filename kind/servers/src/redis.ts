// Redis as a child process: password, append-only file, bounded pub/sub buffers.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { accountOf, privateFile, privateFolder } from './processes/account.ts';
import { findProgram } from './processes/programs.ts';
import { launch, portOf, type Server, type ServerOptions } from './server.ts';

export async function startRedis(options: ServerOptions & { password?: string }): Promise<Server> {
  const command = findProgram('redis-server');
  if (!command) throw new Error('redis-server is not installed');
  const port = await portOf(options);
  const password = options.password ?? randomBytes(18).toString('base64url');
  const account = accountOf('redis', 'nobody');
  privateFolder(options.dir, account);
  const config = join(options.dir, 'redis.conf');
  privateFile(config, settings({ port, password, dir: options.dir }), account);
  return launch(
    {
      name: 'redis',
      command,
      args: [config],
      account,
      cwd: options.dir,
      port,
      url: `redis://default:${password}@127.0.0.1:${port}`,
      probes: [{ port, hello: `AUTH ${password}\r\nPING\r\n`, ready: (answer) => answer.includes('+PONG') }],
      readyWithinMs: 30_000,
      stop: { signal: 'SIGTERM', withinMs: 10_000 },
      deathSignal: 'TERM',
    },
    options,
  );
}

function settings({ port, password, dir }: { port: number; password: string; dir: string }): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir "${dir}"`,
    `requirepass ${password}`,
    'daemonize no',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    // A subscriber that does not read is cut off before it takes all memory; it comes back and catches up from the database.
    'client-output-buffer-limit pubsub 256mb 64mb 60',
    '',
  ].join('\n');
}

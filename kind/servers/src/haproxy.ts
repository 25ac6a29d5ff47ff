// HAProxy as a child process. Its configuration comes from the function that the operator uses, too.
import { join } from 'node:path';
import { accountOf, privateFile, privateFolder } from './processes/account.ts';
import { findProgram } from './processes/programs.ts';
import { launch, runStep, type Server, type ServerOptions } from './server.ts';

export interface HaproxyOptions extends Omit<ServerOptions, 'port'> {
  config: string;
  /** Ports that must answer HTTP before HAProxy counts as ready; the first one is the server's port. */
  ports: [number, ...number[]];
}

export async function startHaproxy(options: HaproxyOptions): Promise<Server> {
  const command = findProgram('haproxy');
  if (!command) throw new Error('haproxy is not installed');
  const account = accountOf('haproxy', 'nobody');
  privateFolder(options.dir, account);
  const file = join(options.dir, 'haproxy.cfg');
  privateFile(file, options.config, account);
  // A wrong configuration is told before anything listens.
  await runStep({ name: 'haproxy-check', command, args: ['-c', '-f', file], account, cwd: options.dir }, options);
  const [port] = options.ports;
  return launch(
    {
      name: 'haproxy',
      command,
      // -W: master and worker, so that SIGUSR2 reloads; -db: in the foreground.
      args: ['-W', '-db', '-f', file],
      account,
      cwd: options.dir,
      port,
      url: `http://127.0.0.1:${port}`,
      probes: options.ports.map((each) => ({ port: each, hello: 'GET / HTTP/1.0\r\n\r\n', ready: (answer) => answer.includes('HTTP/1.') })),
      readyWithinMs: 10_000,
      stop: { signal: 'SIGTERM', withinMs: 5_000 },
      deathSignal: 'TERM',
    },
    options,
  );
}

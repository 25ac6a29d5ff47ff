// A service of Parley as a child process: ready when its own /readyz says so.
import { join } from 'node:path';
import { launch, runStep, type Server, type ServerOptions } from '#servers/server';
import type { ServiceSpec } from '../services.ts';

const node = (root: string, entry: string) => ['--enable-source-maps', join(root, entry)];

export function startService(root: string, spec: ServiceSpec, options: ServerOptions): Promise<Server> {
  return launch(
    {
      name: spec.name,
      command: process.execPath,
      args: node(root, spec.entry),
      account: undefined,
      cwd: root,
      env: spec.env,
      port: spec.port,
      url: `http://127.0.0.1:${spec.port}`,
      probes: [
        {
          port: spec.adminPort,
          hello: `GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
          ready: (answer) => answer.includes('HTTP/1.1 200'),
        },
      ],
      readyWithinMs: 90_000,
      stop: { signal: 'SIGTERM', withinMs: 10_000 },
      deathSignal: 'TERM',
    },
    options,
  );
}

/** Runs a migration to its end. */
export function runMigration(
  root: string,
  { name, entry, url }: { name: string; entry: string; url: string },
  options: ServerOptions,
): Promise<void> {
  const step = { name, command: process.execPath, args: node(root, entry), account: undefined, cwd: root, env: { DATABASE_URL: url } };
  return runStep(step, options);
}

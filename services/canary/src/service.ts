// Composition root of the canary. It serves nobody: what it finds is at /delivery and /metrics of its admin port.
import { createMetrics, Health, startAdmin, type Log } from '@parley/kit/process';
import { Resources, type Running } from '@parley/kit/run';
import { Canary } from './canary.ts';
import type { CanaryConfig } from './config.ts';
import { createCanaryMetrics } from './metrics.ts';

/** A canary that works. `adminPort` is the TCP port of health and metrics. */
export interface RunningCanary extends Running {
  adminPort: number;
}

interface Context {
  config: CanaryConfig;
  log: Log;
  instance: string;
}

/**
 * Resolves when it has begun to log in and send; it goes on through every failure until it is closed. Rejects with what kept it from
 * starting. `instance` is the name of this process.
 */
export async function startCanary({ config, log, instance }: Context): Promise<RunningCanary> {
  const open = new Resources(log);
  const health = new Health();
  const { registry } = createMetrics({ service: 'canary', instance });
  const canary: Canary = new Canary({ config, log, metrics: createCanaryMetrics(registry, { sockets: () => canary.sockets }) });
  const more = { '/delivery': () => canary.report() };
  const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry, more });
  open.add('admin', admin, (server) => server.close());
  open.add('canary', canary, (running) => running.close());
  canary.start();
  // Ready means that it watches, not that all is well: the operator reads what it found either way.
  health.started();
  return { adminPort: admin.port, close: () => open.close() };
}

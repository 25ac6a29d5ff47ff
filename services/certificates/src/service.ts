// Composition root of the certificate follower.
import { createMetrics, Health, messageOf, startAdmin, type Log } from '@parley/kit/process';
import { Resources, type Running } from '@parley/kit/run';
import type { CertificatesConfig } from './config.ts';
import { Follower } from './follower.ts';
import { createCertificateMetrics } from './metrics.ts';
import { runtimeCommand } from './runtime-api.ts';

/** A renewer that works. `adminPort` is the TCP port of health and metrics. */
export interface RunningCertificates extends Running {
  adminPort: number;
}

interface Context {
  config: CertificatesConfig;
  log: Log;
  instance: string;
}

/**
 * Resolves when it has begun to compare; it goes on through every failure until it is closed. Rejects with what kept it from starting.
 * `instance` is the name of this process.
 */
export async function startCertificates({ config, log, instance }: Context): Promise<RunningCertificates> {
  const open = new Resources(log);
  const health = new Health();
  const { registry } = createMetrics({ service: 'certificates', instance });
  const metrics = createCertificateMetrics(registry);
  const admin = await startAdmin({ host: config.adminHost, port: config.adminPort, health, registry });
  open.add('admin', admin, (server) => server.close());
  const { certificateFile, runtimeSocket, lookIntervalMs } = config;
  const follower = new Follower({ certificateFile, command: (text, payload) => runtimeCommand(runtimeSocket, text, payload) });

  let problem: string | undefined;
  const look = async () => {
    try {
      const { pair, updated } = await follower.look();
      metrics.expires.set(pair.expires.getTime() / 1000);
      metrics.looks.inc({ result: updated ? 'updated' : 'same' });
      if (updated || problem !== undefined) log.info({ expires: pair.expires.toISOString(), updated }, 'HAProxy shows the certificate');
      problem = undefined;
    } catch (error) {
      metrics.looks.inc({ result: 'failed' });
      // Once, not every few seconds.
      if (problem !== messageOf(error)) log.error({ reason: messageOf(error) }, 'the certificate was not taken over; the one before stays');
      problem = messageOf(error);
    }
    health.set('certificate', problem);
  };
  let timer: NodeJS.Timeout;
  let closed = false;
  const again = () => {
    if (!closed) timer = setTimeout(() => void look().then(again), lookIntervalMs);
  };
  const first = look().then(again);
  health.started();
  open.add('looks', undefined, async () => {
    closed = true;
    clearTimeout(timer);
    await first;
  });
  return { adminPort: admin.port, close: () => open.close() };
}

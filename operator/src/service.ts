// Composition root: one replica of the operator. It waits for the lease, then works until it is stopped or loses the lease.
import { ports } from '@parley/cdk8s';
import { createLog, Health, startAdmin, type Log } from '@parley/kit/process';
import type { OperatorConfig } from './config.ts';
import { DrainAnswer, MoveAnswer, PodConnections } from './rollout/connections.ts';
import { DeliveryReport } from './watch/delivery.ts';
import { SigningKeysAnswer } from './secrets/key-rotation.ts';
import { podAnswer } from './watch/pod-answer.ts';
import { Controller } from './controller.ts';
import { kubeClient } from './kube/client.ts';
import { Lease } from './kube/lease.ts';
import { lead } from './leadership.ts';
import { createOperatorMetrics } from './metrics/metrics.ts';

const LEASE_NAME = 'parley-operator';

export interface Operator {
  /** Resolves when the operator has nothing more to do: stopped, or the lease is lost. */
  done: Promise<'lost' | 'released'>;
  /** Ends what runs and gives the lease away. */
  stop: () => Promise<void>;
  log: Log;
}

export async function startOperator(config: OperatorConfig): Promise<Operator> {
  const log = createLog({ service: 'operator', instance: config.podName, level: config.logLevel });
  let controller: Controller | undefined;
  const metrics = createOperatorMetrics(
    () => controller?.queueDepth ?? 0,
    () => controller?.clusters() ?? [],
  );
  const transport = kubeClient({ onCall: (method, status) => metrics.apiCalls.inc({ method, status: String(status) }) });
  // A replica that waits for the lease is ready: it is what takes over.
  const health = new Health();
  health.started();
  const admin = await startAdmin({ port: config.adminPort, health, registry: metrics.registry });
  const lease = new Lease({ transport, namespace: config.podNamespace, name: LEASE_NAME, identity: config.podName });

  const begin = (): Promise<void> => {
    const drain = podAnswer(DrainAnswer, { port: ports.admin, path: '/drain' });
    const reconnect = podAnswer(MoveAnswer, { port: ports.admin, path: '/reconnect' });
    controller = new Controller({
      transport,
      environment: { clusterDomain: config.clusterDomain, operatorNamespace: config.podNamespace },
      watchNamespace: config.watchNamespace,
      instance: config.podName,
      readConnections: podAnswer(PodConnections, { port: ports.admin, path: '/connections' }),
      move: async (ip, request) => (await reconnect(ip, request)).moving,
      drain: (ip, wanted) => drain(ip, { drain: wanted }),
      readKeys: podAnswer(SigningKeysAnswer, { port: ports.admin, path: '/signing-keys' }),
      readDelivery: podAnswer(DeliveryReport, { port: ports.admin, path: '/delivery' }),
      log,
      metrics,
    });
    return controller.start();
  };
  const done = lead({ lease, begin, onChange: (leads) => metrics.leader.set(leads ? 1 : 0), log });
  return {
    ...{ done, log },
    stop: async () => {
      await controller?.stop();
      await lease.release();
      await done.catch(() => {});
      await admin.close();
      log.info('stopped');
    },
  };
}

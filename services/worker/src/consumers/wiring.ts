// One group of consumers a handler.
import type { Log } from '@parley/kit/process';
import type { KafkaAccess } from '../kafka/wiring.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { EventHandler } from './ports.ts';
import { startGroup, type RunningGroup } from './supervisor.ts';

interface Needs {
  kafka: KafkaAccess;
  metrics: WorkerMetrics;
  log: Log;
}

export const startGroups = (handlers: readonly EventHandler[], { kafka, metrics, log }: Needs): RunningGroup[] =>
  handlers.map((handler) =>
    startGroup({
      handler,
      brokers: kafka.brokers,
      security: kafka.security,
      judge: kafka.leave.judgeOf(`group ${handler.name}`),
      clientId: `parley-${handler.name}-${kafka.instance}`,
      metrics,
      log: log.child({ group: handler.name }),
    }),
  );

// The queue of clusters that need a reconcile, with what is measured and logged of each.
import type { Log } from '@parley/kit/process';
import type { Clock } from './kube/clock.ts';
import { WorkQueue } from './kube/work-queue.ts';
import type { OperatorMetrics } from './metrics/metrics.ts';
import { reconcile, type ReconcileContext } from './reconcile.ts';

interface Surroundings {
  clock: Clock;
  log: Log;
  metrics: OperatorMetrics | undefined;
}

export const reconcileQueue = (context: ReconcileContext, { clock, log, metrics }: Surroundings): WorkQueue =>
  new WorkQueue({
    clock,
    onStart: (waitedMs) => metrics?.queueSeconds.observe(waitedMs / 1000),
    run: async (key) => {
      const end = metrics?.reconcileSeconds.startTimer();
      try {
        const result = await reconcile(key, context);
        metrics?.reconciles.inc({ result: 'ok' });
        return result;
      } finally {
        // A reconcile that fails by a time-out is the one worth seeing.
        end?.();
      }
    },
    onError: (key, error) => {
      metrics?.reconciles.inc({ result: 'error' });
      log.error({ cluster: key, reason: error instanceof Error ? error.message : String(error) }, 'a reconcile failed');
    },
  });

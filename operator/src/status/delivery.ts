// status.delivery and DeliveryHealthy, from what the canary says. Pure. Times go up and down all the while: the status follows them only
// when they change by more than half, so that a cluster at rest costs no writes.
import type { ChatClusterStatus } from '@parley/operator-api';
import type { DeliveryReport } from '../watch/delivery.ts';
import { sameJson } from './patch.ts';

type DeliveryStatus = NonNullable<ChatClusterStatus['delivery']>;

export function deliveryStatus(
  report: DeliveryReport | undefined,
  previous: DeliveryStatus | undefined,
  now: Date,
): DeliveryStatus | undefined {
  // A canary that is away says nothing new; what it said last stays, with its time.
  if (!report) return previous;
  const { lost, duplicated, misordered } = report;
  const next = {
    ...{ lost, duplicated, misordered },
    ...(report.p50Ms === null ? {} : { p50Ms: steady(report.p50Ms, previous?.p50Ms) }),
    ...(report.p99Ms === null ? {} : { p99Ms: steady(report.p99Ms, previous?.p99Ms) }),
  };
  return previous && sameJson({ ...previous, lastChecked: '' }, { ...next, lastChecked: '' })
    ? previous
    : { ...next, lastChecked: now.toISOString().replace(/\.\d+Z/, 'Z') };
}

const CHANGE = 1.5;
/** Below this nobody feels a difference. */
const FLOOR_MS = 50;

function steady(next: number, previous: number | undefined): number {
  const [one, other] = [Math.max(next, FLOOR_MS), Math.max(previous ?? 0, FLOOR_MS)];
  const near = previous !== undefined && one <= other * CHANGE && other <= one * CHANGE;
  return near ? previous : Math.ceil(next);
}

export interface DeliveryVerdict {
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

export function deliveryVerdict(canary: boolean, report: DeliveryReport | undefined): DeliveryVerdict {
  if (!canary)
    return {
      status: 'Unknown',
      reason: 'NoCanary',
      message: 'Nobody looks: set spec.monitoring.canary.enabled, and let auth, core, chat and ingress have at least one replica.',
    };
  if (!report) return { status: 'Unknown', reason: 'CanaryAway', message: 'The canary does not answer: look at its pod, and at its log.' };
  const message = `${report.message[0]?.toUpperCase() ?? ''}${report.message.slice(1)}.`;
  return { status: report.state === 'ok' ? 'True' : report.state === 'failing' ? 'False' : 'Unknown', reason: report.reason, message };
}

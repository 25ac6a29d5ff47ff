// What a cluster still lacks after the fault of a drill. Pure.
import type { ChatDrillStatus } from '@parley/operator-api';
import type { DrillScene } from './drill-scene.ts';

/** undefined: it has recovered. All parts are ready, those of the fault by new pods, and messages were acked after its end. */
export function missingForRecovery({ targets = [], ackedAtEnd }: ChatDrillStatus, scene: DrillScene): string | undefined {
  const isTarget = (uid: string): boolean => targets.some((target) => target.uid === uid);
  const old = scene.pods.filter(({ uid }) => isTarget(uid));
  if (old.length > 0) return `${old.map(({ name }) => name).join(', ')} is there still`;
  const ready = scene.pods.filter((pod) => pod.ready).length;
  if (ready < scene.replicas) return `${ready} of ${scene.replicas} pods of the part that was broken are ready`;
  if (!scene.ready.status) return scene.ready.message;
  const report = scene.delivery?.report;
  if (!report) return 'the canary does not answer';
  if (ackedAtEnd === undefined || report.acked <= ackedAtEnd) return 'no message of the canary was acked after the end of the fault';
  // A promise that was broken is told for ten minutes: it is the result, not an obstacle.
  return report.state === 'ok' || report.reason === 'PromiseBroken' ? undefined : report.message;
}

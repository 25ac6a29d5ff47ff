// What speaks against a drill, before and while it runs, and what a cluster still lacks after its fault. Pure.
import { ALLOW_DRILLS_LABEL, type ChatDrill, type ChatDrillStatus } from '@parley/operator-api';
import { FAULTS, type DrillScene } from './scene.ts';

export interface Obstacle {
  reason: string;
  message: string;
}

/** Also while it runs: whoever withdraws the leave, pauses the cluster or switches the canary off ends the drill. */
export function forbidden(drill: ChatDrill, scene: DrillScene | undefined): Obstacle | undefined {
  const { cluster, fault } = drill.spec;
  const { namespace } = drill.metadata;
  const no = (reason: string, message: string): Obstacle => ({ reason, message });
  if (!scene)
    return no(
      'ClusterNotFound',
      `There is no ChatCluster ${cluster} in the namespace ${namespace} whose spec can be read: look at kubectl -n ${namespace} get chatclusters`,
    );
  if (!scene.allowed)
    return no(
      'NotAllowed',
      `The ChatCluster ${cluster} does not allow drills: kubectl -n ${namespace} label chatcluster ${cluster} ${ALLOW_DRILLS_LABEL}=true, then create another drill`,
    );
  if (scene.external)
    return no(
      'ExternalServer',
      `${fault} breaks a server of the operator's own, and spec.${FAULTS[fault].component}.mode is external: break it where it is run`,
    );
  if (scene.paused) return no('ClusterPaused', `The ChatCluster ${cluster} is paused: set spec.paused to false, then create another drill`);
  if (!scene.hasCanary)
    return no(
      'NoCanary',
      'Without a canary nobody counts what is lost: set spec.monitoring.canary.enabled, and let auth, core, chat and ingress have a replica; then create another drill',
    );
  return undefined;
}

/** Before it begins: a cluster that is not well tells nothing about the fault. */
export function unfit(drill: ChatDrill, scene: DrillScene, running: string | undefined): Obstacle | undefined {
  const then = 'then create another drill';
  if (running !== undefined)
    return {
      reason: 'AnotherDrillRuns',
      message: `The drill ${running} runs in the ChatCluster ${drill.spec.cluster}: wait for its end, ${then}`,
    };
  if (!scene.ready.status)
    return { reason: 'ClusterNotReady', message: `The ChatCluster is not ready: ${scene.ready.message} Repair it, ${then}` };
  const report = scene.delivery?.report;
  if (report?.state === 'failing')
    return { reason: 'DeliveryNotHealthy', message: `Delivery is not healthy before the fault: ${report.message}. Repair it, ${then}` };
  return undefined;
}

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

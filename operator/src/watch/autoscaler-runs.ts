// An autoscaler that cannot see or cannot scale says so in its own status, where nobody looks. Pure.
import type { KubeObject } from '../kube/transport.ts';

interface AutoscalerStatus {
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
}

/** With no replicas at all it rests, as a person wished. */
const AT_REST = 'ScalingDisabled';

/** A sentence for the autoscaler that does not work. `owned`: every object with the cluster's labels. */
export function idleAutoscaler(owned: readonly KubeObject[]): string | undefined {
  const autoscaler = owned.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
  const { conditions = [] } = (autoscaler?.['status'] ?? {}) as AutoscalerStatus;
  const failed = conditions.find(
    ({ type, status, reason }) => ['AbleToScale', 'ScalingActive'].includes(type) && status === 'False' && reason !== AT_REST,
  );
  if (!autoscaler || !failed) return undefined;
  const { name, namespace } = autoscaler.metadata;
  const why = [failed.reason, failed.message].filter((text) => text).join(': ');
  return `The autoscaler of chat does not work${why === '' ? '' : ` (${why})`}, the number of replicas stays as it is. Look at: kubectl -n ${namespace} describe hpa ${name}; it needs an adapter that serves websocket_connections of the chat pods`;
}

// Chat replicas by the number of sockets: a HorizontalPodAutoscaler of the ChatCluster's scale. It writes spec.chat.replicas and the operator
// follows; of the StatefulSet's number both would be the owner.
import { GROUP, KIND, VERSION, type ChatClusterSpec } from '@parley/operator-api';
import { k8s } from 'cdk8s-plus-27';
import type { ComponentChart } from '../constructs/workloads.ts';

/** Of each chat replica: docs/reference/metrics.md. */
export const SOCKETS_METRIC = 'websocket_connections';
/** As long as Kubernetes looks back before it takes pods away. */
const USUAL_LOOK_BACK_SECONDS = 300;
/** The API server's bounds. */
const LOOK_BACK_MAX_SECONDS = 3600;
const PERIOD_MAX_SECONDS = 1800;

/** `drainSeconds`: what a replica takes to let its sockets go. Each scale-down costs its sockets a reconnect, so it is slow: one at a time. */
export function autoscaler(
  chart: ComponentChart,
  { minReplicas, maxReplicas, connectionsPerReplica }: NonNullable<ChatClusterSpec['chat']['autoscaling']>,
  drainSeconds: number,
): void {
  new k8s.KubeHorizontalPodAutoscalerV2(chart, 'autoscaler', {
    metadata: chart.metadata(),
    spec: {
      scaleTargetRef: { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, name: chart.plan.cluster },
      minReplicas,
      maxReplicas,
      metrics: [
        {
          type: 'Pods',
          pods: {
            metric: { name: SOCKETS_METRIC },
            target: { type: 'AverageValue', averageValue: k8s.Quantity.fromString(String(connectionsPerReplica)) },
          },
        },
      ],
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: Math.min(LOOK_BACK_MAX_SECONDS, Math.max(USUAL_LOOK_BACK_SECONDS, 2 * drainSeconds)),
          policies: [{ type: 'Pods', value: 1, periodSeconds: Math.min(PERIOD_MAX_SECONDS, drainSeconds) }],
        },
      },
    },
  });
}

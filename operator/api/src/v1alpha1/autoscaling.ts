// Chat replicas by the number of sockets. Off when it is left out of a ChatCluster.
import { Type, type TInteger } from '@sinclair/typebox';
import { rules } from './schema-parts.ts';

/** `most` is what spec.chat.replicas may be at most. */
export const autoscaling = (most: number) => {
  const count = (description: string, more: { default?: number } = {}): TInteger =>
    Type.Integer({ minimum: 1, maximum: most, description, ...more });
  return Type.Object(
    {
      minReplicas: count('Never fewer', { default: 2 }),
      maxReplicas: count('Never more'),
      connectionsPerReplica: Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        default: 8000,
        description: 'Sockets of one replica, on average, that the number of replicas is chosen for',
      }),
    },
    {
      description: 'A HorizontalPodAutoscaler owns chat.replicas; needs an adapter that serves websocket_connections as a metric of pods',
      ...rules({
        rule: 'self.minReplicas <= self.maxReplicas',
        message: 'minReplicas must not be larger than maxReplicas: lower the one or raise the other',
      }),
    },
  );
};

/** On spec.chat. */
export const autoscalingRules = rules({
  rule: '!has(self.autoscaling) || self.autoscaling.connectionsPerReplica <= self.maxConnections',
  message:
    'autoscaling.connectionsPerReplica must not be larger than maxConnections, a replica never has more: lower the one or raise the other',
});

/** On the spec. */
export const autoscalingPolicyRule = {
  rule: "!has(self.chat.autoscaling) || self.changePolicy == 'Apply'",
  message:
    'chat.autoscaling needs changePolicy Apply, because each new number of replicas would wait for an approval: leave autoscaling out, or set changePolicy to Apply',
};

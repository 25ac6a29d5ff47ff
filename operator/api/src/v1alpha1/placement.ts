// Where pods run and what is written on them, as every part takes it.
import { Type } from '@sinclair/typebox';
import { oneOf, rules, section } from './schema-parts.ts';

export const placement = {
  nodeSelector: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 63 }), { description: 'Labels a node must have' })),
  tolerations: Type.Optional(
    Type.Array(
      Type.Object(
        {
          key: Type.Optional(Type.String({ maxLength: 253 })),
          operator: Type.Optional(oneOf(['Exists', 'Equal'])),
          value: Type.Optional(Type.String({ maxLength: 63 })),
          effect: Type.Optional(oneOf(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])),
          tolerationSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
        },
        // A pod with such a toleration is refused.
        rules(
          {
            rule: "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
            message: 'operator Exists takes no value: remove the value, or set operator to Equal',
          },
          {
            rule: "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
            message: 'a toleration of every key needs operator Exists: set it, or name the key',
          },
          {
            rule: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            message: 'tolerationSeconds is only for effect NoExecute: remove it, or set effect to NoExecute',
          },
        ),
      ),
      { maxItems: 20, description: 'Tolerations, as in a pod' },
    ),
  ),
  affinity: Type.Optional(
    // Its schema is a third of a pod's: the API server checks it when the workload is applied, and the condition Degraded tells.
    Type.Record(Type.String(), Type.Unknown(), { 'x-kubernetes-preserve-unknown-fields': true, description: 'Affinity, as in a pod' }),
  ),
  priorityClassName: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'PriorityClass of the pods' })),
  podAnnotations: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: 4096 }), { description: 'Annotations of the pods; a change replaces them' }),
  ),
};

export const spread = {
  topologySpread: section(
    {
      topologyKey: Type.String({
        default: 'kubernetes.io/hostname',
        minLength: 1,
        maxLength: 317,
        description: 'Label of the nodes; topology.kubernetes.io/zone spreads over zones',
      }),
      maxSkew: Type.Integer({ minimum: 1, maximum: 100, default: 1, description: 'How uneven it may be' }),
      whenUnsatisfiable: oneOf(['ScheduleAnyway', 'DoNotSchedule'], {
        default: 'ScheduleAnyway',
        description: 'DoNotSchedule: rather no pod than one in the wrong place',
      }),
    },
    { description: 'How replicas are spread over the nodes' },
  ),
};

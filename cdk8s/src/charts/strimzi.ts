// Kafka of mode strimzi: the two objects that Strimzi's operator makes brokers from. Those brokers and their pods are Strimzi's alone.
import { STRIMZI_API } from '@parley/operator-api';
import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { kafkaHeap } from './kafka.ts';
import { clusterLabels, nameOf } from '../names.ts';
import { ports, type Plan } from '../plan.ts';

export class StrimziChart extends Chart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, 'strimzi', { namespace: plan.namespace, disableResourceNameHashes: true, labels: clusterLabels(plan.cluster) });
    const name = nameOf(plan.cluster, 'kafka');
    const copies = plan.spec.kafka.brokers;
    const inSync = Math.max(1, copies - 1);
    new ApiObject(this, 'kafka', {
      apiVersion: STRIMZI_API,
      kind: 'Kafka',
      metadata: { name },
      spec: {
        kafka: {
          // Inside the cluster only; Strimzi's own NetworkPolicy lets clients to it.
          listeners: [{ name: 'plain', port: ports.kafka, type: 'internal', tls: false }],
          config: {
            'auto.create.topics.enable': false,
            'default.replication.factor': copies,
            'min.insync.replicas': inSync,
            'offsets.topic.replication.factor': copies,
            'transaction.state.log.replication.factor': copies,
            'transaction.state.log.min.isr': inSync,
          },
        },
      },
    });
    new ApiObject(this, 'pool', {
      apiVersion: STRIMZI_API,
      kind: 'KafkaNodePool',
      // By this label Strimzi finds the pools of a Kafka.
      metadata: { name, labels: { 'strimzi.io/cluster': name } },
      spec: poolSpec(plan),
    });
  }
}

function poolSpec({ cluster, spec: { kafka } }: Plan): Record<string, unknown> {
  const { brokers, storage, resources } = kafka;
  return {
    replicas: brokers,
    // Each broker votes, as in mode builtin.
    roles: ['controller', 'broker'],
    resources,
    jvmOptions: kafkaHeap(resources.limits.memory),
    storage: {
      type: 'jbod',
      volumes: [
        {
          id: 0,
          type: 'persistent-claim',
          size: storage.size,
          ...(storage.class ? { class: storage.class } : {}),
          deleteClaim: storage.whenDeleted === 'Delete',
          kraftMetadata: 'shared',
        },
      ],
    },
    template: { pod: podTemplate(kafka, nameOf(cluster, 'kafka')) },
  };
}

/** What Strimzi takes of the placement that every part has. */
function podTemplate({ tolerations, affinity, priorityClassName, podAnnotations, topologySpread }: Plan['spec']['kafka'], name: string) {
  return {
    ...(podAnnotations ? { metadata: { annotations: podAnnotations } } : {}),
    ...(affinity ? { affinity } : {}),
    ...(tolerations ? { tolerations } : {}),
    ...(priorityClassName ? { priorityClassName } : {}),
    topologySpreadConstraints: [{ ...topologySpread, labelSelector: { matchLabels: { 'strimzi.io/cluster': name } } }],
  };
}

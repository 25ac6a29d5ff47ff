// Kafka in KRaft mode: every broker is also a voter of the quorum, so their number is fixed (1 or 3).
import type { Construct } from 'constructs';
import { kafkaPod } from '../connections.ts';
import { emptyDir, fromSecret, podSpec, tcpProbe } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { fqdnOf, images, ports, type Plan } from '../plan.ts';
import { mebibytes } from '../quantity.ts';

const KAFKA_UID = 1000;
const CONTROLLER_PORT = 9093;
const INTERNAL_PORT = 9094;

export class KafkaChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'kafka');
    const { brokers, storage, resources } = plan.spec.kafka;
    const settings = Object.entries(brokerSettings(plan)).map(([name, value]) => ({ name, value: String(value) }));
    const pod = podSpec({
      plan,
      uid: KAFKA_UID,
      resources,
      placement: this.placement,
      graceSeconds: 120,
      volumes: ['config', 'logs', 'secrets', 'mounted', 'tmp'].map(emptyDir),
      spread: this.selector,
      containers: [
        {
          name: 'kafka',
          image: images.kafka,
          env: [
            { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'KAFKA_NODE_ID', valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } } },
            // The image brings a default id that everybody shares; this one is this cluster's own.
            fromSecret('CLUSTER_ID', this.name(), 'clusterId'),
            ...settings,
          ],
          ports: { client: ports.kafka, controller: CONTROLLER_PORT, internal: INTERNAL_PORT },
          mounts: [
            { name: 'data', mountPath: '/var/lib/kafka/data' },
            { name: 'config', mountPath: '/opt/kafka/config' },
            { name: 'logs', mountPath: '/opt/kafka/logs' },
            { name: 'secrets', mountPath: '/etc/kafka/secrets' },
            { name: 'mounted', mountPath: '/mnt/shared/config' },
            { name: 'tmp', mountPath: '/tmp' },
          ],
          probes: { startup: tcpProbe(ports.kafka, { periodSeconds: 2, failureThreshold: 150 }), readiness: tcpProbe(ports.kafka) },
        },
      ],
    });
    this.statefulSet(brokers, pod, { storage });
    // Voters must find each other before they are ready.
    this.service({ client: ports.kafka, controller: CONTROLLER_PORT, internal: INTERNAL_PORT }, { headless: true, publishNotReady: true });
    this.disruptionBudget();
  }
}

/** A third of the limit: the page cache does most of a broker's work. */
export const kafkaHeap = (memoryLimit: string): Record<'-Xms' | '-Xmx', string> => ({
  '-Xms': '128m',
  '-Xmx': `${Math.max(256, Math.floor(mebibytes(memoryLimit) / 3))}m`,
});

/** Environment names of the image: `.` becomes `_`. Replication follows the number of brokers. */
function brokerSettings(plan: Plan): Record<string, string | number> {
  const { brokers, resources } = plan.spec.kafka;
  const copies = Math.min(3, brokers);
  const inSync = Math.max(1, copies - 1);
  const voters = Array.from({ length: brokers }, (_, index) => `${index}@${kafkaPod(plan, index)}:${CONTROLLER_PORT}`);
  const host = `$(POD_NAME).${fqdnOf(plan, 'kafka')}`;
  return {
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_LISTENERS: `CLIENT://:${ports.kafka},INTERNAL://:${INTERNAL_PORT},CONTROLLER://:${CONTROLLER_PORT}`,
    KAFKA_ADVERTISED_LISTENERS: `CLIENT://${host}:${ports.kafka},INTERNAL://${host}:${INTERNAL_PORT}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'INTERNAL',
    KAFKA_CONTROLLER_QUORUM_VOTERS: voters.join(','),
    // A sub-folder: the root of a volume may hold lost+found, which the broker takes for a topic.
    KAFKA_LOG_DIRS: '/var/lib/kafka/data/kafka-log',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: copies,
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: 4,
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: copies,
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: inSync,
    KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: 4,
    KAFKA_MIN_INSYNC_REPLICAS: inSync,
    KAFKA_DEFAULT_REPLICATION_FACTOR: copies,
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: 0,
    KAFKA_NUM_IO_THREADS: 2,
    KAFKA_NUM_NETWORK_THREADS: 2,
    KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE: 16_777_216,
    KAFKA_HEAP_OPTS: Object.entries(kafkaHeap(resources.limits.memory))
      .map(([option, size]) => `${option}${size}`)
      .join(' '),
    KAFKA_JVM_PERFORMANCE_OPTS: '-XX:+UseSerialGC -XX:TieredStopAtLevel=1',
  };
}

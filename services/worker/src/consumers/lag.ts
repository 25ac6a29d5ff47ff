// How far a group is behind, measured at the broker: it tells the truth also when no consumer is alive.
import { messageOf, type Log } from '@parley/kit/process';
import type { Admin, Kafka } from 'kafkajs';
import type { WorkerMetrics } from '../metrics.ts';

const EVERY_MS = 5000;

export interface LagOptions {
  kafka: Kafka;
  group: string;
  groupId: string;
  topics: readonly string[];
  metrics: WorkerMetrics;
  log: Log;
}

/** Every process measures all partitions, so that the value does not vanish with one of them: take the maximum over the processes. */
export function sampleLag({ kafka, group, groupId, topics, metrics, log }: LagOptions): { stop: () => Promise<void> } {
  let admin: Admin | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const drop = async () => {
    const last = admin;
    admin = undefined;
    await last?.disconnect().catch(() => undefined);
  };
  const sample = async () => {
    try {
      if (!admin) {
        const fresh = kafka.admin({ retry: { retries: 1 } });
        await fresh.connect();
        admin = fresh;
      }
      const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
      for (const { topic, partitions } of committed) {
        const ends = new Map((await admin.fetchTopicOffsets(topic)).map((each) => [each.partition, each]));
        for (const { partition, offset } of partitions) {
          const end = ends.get(partition);
          if (!end) continue;
          // Without a commit the group begins at the oldest record.
          const from = Number(offset) < 0 ? Number(end.low) : Math.max(Number(offset), Number(end.low));
          metrics.lag.set({ group, topic, partition: String(partition) }, Math.max(0, Number(end.high) - from));
        }
      }
      metrics.brokerUp.set(1);
    } catch (error) {
      metrics.brokerUp.set(0);
      log.debug({ reason: messageOf(error) }, 'lag not measured');
      await drop();
    }
    if (!stopped) timer = setTimeout(() => void (current = sample()), EVERY_MS);
  };
  let current = sample();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current;
      await drop();
    },
  };
}

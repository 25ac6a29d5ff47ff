// The EventSink on Kafka: produces, makes a new producer after each failure, and tells what a failure means.
import { traced } from '@parley/kit/tracing';
import { kafkaClient } from './client.ts';
import type { KafkaSecurity } from './config.ts';
import { createFence } from './fence.ts';
import type { Judge } from './leave.ts';
import { RecordsRefused, type EventSink, type SinkRecord } from './ports.ts';
import { openProducer, type IdempotentProducer } from './producer.ts';
import { refusedRecords } from './refusal.ts';

export interface KafkaSinkOptions {
  brokers: readonly string[];
  security?: KafkaSecurity | undefined;
  clientId: string;
  /** Called when Kafka has not answered well for a while, long before a send gives up. */
  onTrouble: (reason: string) => void;
  /** Told how each send ended. */
  judge?: Judge | undefined;
}

/** Shorter trouble is ordinary: a new leader, the first producer of a fresh broker. */
const TROUBLE_AFTER_MS = 1500;

export function kafkaSink({ brokers, security, clientId, onTrouble, judge }: KafkaSinkOptions): EventSink {
  const fence = createFence();
  let producer: IdempotentProducer | undefined;
  let troubleSince: number | undefined;
  // kafkajs logs every failed attempt; the relay needs to know once that there is trouble.
  const onError = (reason: string): void => {
    troubleSince ??= Date.now();
    if (!fence.closed && Date.now() - troubleSince >= TROUBLE_AFTER_MS) onTrouble(reason);
  };

  const send = async (records: readonly SinkRecord[]): Promise<void> => {
    producer ??= await openProducer(kafkaClient({ brokers, security, clientId, onError, socketFactory: fence.connect }));
    await producer.produce(records);
  };

  const drop = async (): Promise<void> => {
    const last = producer;
    producer = undefined;
    await last?.disconnect();
  };

  return {
    async send(records) {
      try {
        // Not even a connection is tried after the fence is closed.
        await (fence.closed
          ? fence.broken
          : traced('publish to Kafka', { records: records.length }, () => Promise.race([send(records), fence.broken]), {
              kind: 'producer',
            }));
        troubleSince = undefined;
        judge?.(undefined);
      } catch (error) {
        void drop();
        judge?.(error);
        const refused = refusedRecords(error);
        throw refused === undefined ? error : new RecordsRefused(refused, { cause: error });
      }
    },
    abort(reason) {
      fence.close(reason);
      void drop();
    },
    async close() {
      await drop();
      fence.close('closed');
    },
  };
}

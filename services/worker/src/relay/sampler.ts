// Measures the outboxes at an interval, so that a scrape never waits for a database.
import { messageOf, type Log } from '@parley/kit/process';
import type { WorkerMetrics } from '../metrics.ts';
import { ROWS_COUNTED_MAX, type Outbox } from './ports.ts';

const EVERY_MS = 5000;

export function sampleOutbox(options: { database: string; outbox: Outbox; metrics: WorkerMetrics; log: Log }): () => void {
  const { database, outbox, metrics, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let alarmed = false;
  const sample = async () => {
    try {
      const { rows, oldestSeconds } = await outbox.stats();
      metrics.rows.set({ database }, rows);
      metrics.oldest.set({ database }, oldestSeconds);
      const full = rows >= ROWS_COUNTED_MAX;
      if (full && !alarmed) log.error({ database, rows, oldestSeconds }, 'the outbox grows and grows: is Kafka there?');
      alarmed = full;
    } catch (error) {
      // Readiness and the relay tell of the outage itself.
      log.debug({ database, reason: messageOf(error) }, 'outbox not measured');
    }
    if (!stopped) timer = setTimeout(() => void sample(), EVERY_MS);
  };
  void sample();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

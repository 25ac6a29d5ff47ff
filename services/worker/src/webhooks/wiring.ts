// Webhooks: the group that takes events in, the deliverer that sends them, the routes of their administrators.
import type { MysqlPool } from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import type { Resources } from '@parley/kit/run';
import type { PostgresPool } from '@parley/kit/sql';
import type { Express } from 'express';
import type { EventHandler } from '../consumers/ports.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { requireAdminKey } from './admin-key.ts';
import { startDeliverer } from './deliverer.ts';
import { httpSender } from './http-sender.ts';
import { webhookHandler } from './intake.ts';
import { mysqlQueue } from './mysql-queue.ts';
import { mysqlDeliveryIntake, mysqlWebhooks } from './mysql-webhooks.ts';
import { addWebhookRoutes } from './routes.ts';

interface Needs {
  mysql: MysqlPool;
  /** Where the API keys of administrators are. */
  postgres: PostgresPool;
  config: { webhookAllowPrivate: boolean; webhookFailuresMax: number };
  /** Name of this process: whose claims are whose. */
  instance: string;
  metrics: WorkerMetrics;
  log: Log;
}

export interface WebhookParts {
  handler: EventHandler;
  addRoutes: (app: Express) => void;
}

/** The deliverer runs from now on, also without Kafka: what is replayed by hand is in the database. */
export function openWebhooks(open: Resources, { mysql, postgres, config, instance, metrics, log }: Needs): WebhookParts {
  const { webhookAllowPrivate: allowPrivate, webhookFailuresMax: failuresMax } = config;
  const sender = open.add('webhook sender', httpSender({ allowPrivate }), (each) => each.close());
  const started = startDeliverer({
    queue: mysqlQueue(mysql, instance),
    sender,
    failuresMax,
    metrics,
    log: log.child({ part: 'webhooks' }),
  });
  const deliverer = open.add('deliverer', started, (running) => running.stop());
  const onReplay = () => deliverer.wake();
  return {
    handler: webhookHandler(mysqlDeliveryIntake(mysql), () => deliverer.wake()),
    addRoutes: (app) =>
      addWebhookRoutes(app, { webhooks: mysqlWebhooks(mysql), requireAdmin: requireAdminKey(postgres), allowPrivate, onReplay }),
  };
}

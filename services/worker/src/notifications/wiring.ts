// Notifications: who is in a room (MySQL), who is online and what was told already (Redis), and where it is told.
import { readActiveMembers, type MysqlPool } from '@parley/chat-store';
import type { Log } from '@parley/kit/process';
import { createRedis } from '@parley/kit/redis';
import type { Resources } from '@parley/kit/run';
import { presenceReader } from '@parley/live';
import type { EventHandler } from '../consumers/ports.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { httpSender } from '../webhooks/http-sender.ts';
import { notificationHandler } from './handler.ts';
import { redisNotified } from './redis-notified.ts';
import { logSink, webhookSink } from './sinks.ts';

interface Needs {
  mysql: MysqlPool;
  config: { redisUrl: string; notificationsWebhookUrl?: string; notificationsWebhookSecret?: string };
  instance: string;
  metrics: WorkerMetrics;
  log: Log;
}

export function openNotifications(open: Resources, { mysql, config, instance, metrics, log }: Needs): EventHandler {
  const redis = open.add('redis', createRedis(config.redisUrl, `worker-${instance}`, log), (client) => client.disconnect());
  // Its URL comes from the operator of the cluster, not from a caller: it may be private.
  const sender = open.add('notification sender', httpSender({ allowPrivate: true }), (each) => each.close());
  const { notificationsWebhookUrl: url, notificationsWebhookSecret: secret } = config;
  return notificationHandler({
    members: { of: (roomIds, max) => readActiveMembers(mysql, roomIds, { max }) },
    presence: presenceReader(redis),
    notified: redisNotified(redis),
    sinks: [logSink(log), ...(url === undefined ? [] : [webhookSink({ url, secret, sender })])],
    onVerdict: (result) => metrics.notifications.inc({ result }),
    now: () => new Date(),
  });
}

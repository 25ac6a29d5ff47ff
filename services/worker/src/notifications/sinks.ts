// Where notifications go: a line in the log, and the URL that the operator of the cluster gave.
import { AppError, type Log } from '@parley/kit/process';
import { RecordRejected } from '../consumers/ports.ts';
import { isRefusal } from '../webhooks/plan.ts';
import type { WebhookSender } from '../webhooks/ports.ts';
import { SIGNATURE_HEADER, signatureOf } from '../webhooks/signature.ts';
import type { NotificationSink } from './ports.ts';

/** Without the preview: logs are read by many and kept for long. */
export function logSink(log: Log): NotificationSink {
  return {
    send({ preview: _preview, ...notification }) {
      log.info({ logger: 'notifications', ...notification }, 'message to members who are offline');
      return Promise.resolve();
    },
  };
}

export function webhookSink({ url, secret, sender }: { url: string; secret: string | undefined; sender: WebhookSender }): NotificationSink {
  return {
    async send(notification, signal) {
      const body = JSON.stringify({ type: 'chat.notification', ...notification });
      const signature = secret === undefined ? {} : { [SIGNATURE_HEADER]: signatureOf(body, { secret, at: new Date() }) };
      const headers = { 'content-type': 'application/json', 'x-parley-event-id': notification.event_id, ...signature };
      const outcome = await sender.send({ url, body, headers, signal });
      if (outcome.delivered) return;
      const { status, error } = outcome;
      // Refused for what it is: a dead letter. Everything else says that the receiver is not well, and it is waited for.
      if (isRefusal(status)) throw new RecordRejected(`the receiver of notifications refused it: ${error}`);
      throw new AppError('unavailable', `the receiver of notifications: ${error}`);
    },
  };
}

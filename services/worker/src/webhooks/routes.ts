// REST of webhooks, for administrators.
import { randomBytes } from 'node:crypto';
import { isId } from '@parley/chat-store';
import { addRoute } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import {
  workerOperations,
  type ReplayAnswer,
  type Webhook as WebhookAnswer,
  type WebhookCreated,
  type WebhookDelivery,
  type WebhookDeliveryList,
  type WebhookList,
} from '@parley/protocol';
import type { Express, RequestHandler } from 'express';
import { eventTypes } from '../consumers/event-schemas.ts';
import { adminKeyOf } from './admin-key.ts';
import { ANY_EVENT } from './plan.ts';
import type { DeliveryView, Webhook, Webhooks } from './ports.ts';
import { isPublic, literalOf } from './public-address.ts';

export interface WebhookRoutes {
  webhooks: Webhooks;
  requireAdmin: RequestHandler;
  allowPrivate: boolean;
  onReplay: () => void;
}

export function addWebhookRoutes(app: Express, { webhooks, requireAdmin, allowPrivate, onReplay }: WebhookRoutes): void {
  const before = [requireAdmin];
  addRoute(app, {
    operation: workerOperations.listWebhooks,
    before,
    handle: async ({ query: { limit, cursor } }) => {
      const found = await webhooks.list({ after: cursor === undefined ? undefined : idOf(cursor), limit: limit + 1 });
      const page = found.slice(0, limit);
      return {
        body: { webhooks: page.map(answerOf), next_cursor: found.length > limit ? (page.at(-1)?.id ?? null) : null } satisfies WebhookList,
      };
    },
  });
  addRoute(app, {
    operation: workerOperations.createWebhook,
    before,
    handle: async ({ body, response }) => {
      const url = checkedUrl(body.url, allowPrivate);
      const unknown = body.events.filter((each) => each !== ANY_EVENT && !eventTypes.has(each));
      if (unknown.length > 0) {
        throw new AppError(
          'invalid_request',
          `No such event: ${unknown.join(', ')}. There are ${ANY_EVENT}, ${[...eventTypes.keys()].join(', ')}`,
        );
      }
      const secret = `whsec_${randomBytes(32).toString('base64url')}`;
      const roomId = body.room_id === undefined ? null : idOf(body.room_id);
      const webhook = await webhooks.create({ url, secret, events: body.events, roomId, createdBy: adminKeyOf(response) });
      response.setHeader('Cache-Control', 'no-store');
      return { status: 201, body: { ...answerOf(webhook), secret } satisfies WebhookCreated };
    },
  });
  addRoute(app, {
    operation: workerOperations.deleteWebhook,
    before,
    handle: async ({ params }) => {
      if (!(await webhooks.remove(idOf(params.id)))) throw new AppError('not_found', 'There is no such webhook');
      return { status: 204 };
    },
  });
  addRoute(app, {
    operation: workerOperations.listDeliveries,
    before,
    handle: async ({ params, query: { limit, cursor, state } }) => {
      const id = idOf(params.id);
      if (!(await webhooks.find(id))) throw new AppError('not_found', 'There is no such webhook');
      const found = await webhooks.deliveries(id, { state, before: cursor, limit: limit + 1 });
      const page = found.slice(0, limit);
      return {
        body: {
          deliveries: page.map(deliveryAnswer),
          next_cursor: found.length > limit ? (page.at(-1)?.id ?? null) : null,
        } satisfies WebhookDeliveryList,
      };
    },
  });
  addRoute(app, {
    operation: workerOperations.replayDeliveries,
    before,
    handle: async ({ params, body }) => {
      const from = body.from === undefined ? undefined : timeOf(body.from);
      const replayed = await webhooks.replay(idOf(params.id), { from });
      if (replayed === undefined) throw new AppError('not_found', 'There is no such webhook');
      onReplay();
      return { status: 202, body: { replayed } satisfies ReplayAnswer };
    },
  });
}

function checkedUrl(text: string, allowPrivate: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new AppError('invalid_request', '/url: not a URL');
  if (url.username !== '' || url.password !== '')
    throw new AppError('invalid_request', '/url: names and passwords do not belong here; verify the signature');
  const literal = literalOf(url);
  // Names are checked when they are used: what they stand for may change.
  if (!allowPrivate && ((literal !== undefined && !isPublic(literal)) || url.hostname === 'localhost')) {
    throw new AppError('invalid_request', '/url: not a public address');
  }
  return url.href;
}

function idOf(text: string): string {
  if (!isId(text)) throw new AppError('invalid_request', 'Ids of webhooks and rooms are UUIDs');
  return text;
}

function timeOf(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new AppError('invalid_request', '/from: not a time in RFC 3339');
  return time;
}

const answerOf = (webhook: Webhook): WebhookAnswer => ({
  id: webhook.id,
  url: webhook.url,
  events: [...webhook.events],
  room_id: webhook.roomId,
  created_by: webhook.createdBy,
  created_at: webhook.createdAt.toISOString(),
  disabled_at: webhook.disabledAt?.toISOString() ?? null,
  disabled_reason: webhook.disabledReason,
  failures: webhook.failures,
});

const deliveryAnswer = (delivery: DeliveryView): WebhookDelivery => ({
  id: delivery.id,
  event_id: delivery.eventId,
  event_type: delivery.eventType,
  state: delivery.state,
  attempts: delivery.attempts,
  next_at: delivery.state === 'pending' ? delivery.nextAt.toISOString() : null,
  last_error: delivery.lastError,
  created_at: delivery.createdAt.toISOString(),
});

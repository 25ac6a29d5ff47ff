// Every REST route of worker: webhooks, for administrators.
import { operation } from './operation.ts';
import {
  CreateWebhookBody,
  DeliveriesQuery,
  ReplayAnswer,
  ReplayBody,
  WebhookCreated,
  WebhookDeliveryList,
  WebhookList,
  WebhookPath,
  WebhooksQuery,
} from './rest-webhooks.ts';

const shared = { tag: 'webhooks', security: 'admin_key' } as const;

/** Webhooks, which the worker serves. */
export const workerOperations = {
  listWebhooks: operation({
    ...shared,
    method: 'get',
    path: '/api/v1/webhooks',
    summary: 'List webhooks',
    query: WebhooksQuery,
    answers: { 200: WebhookList },
  }),
  createWebhook: operation({
    ...shared,
    method: 'post',
    path: '/api/v1/webhooks',
    summary: 'Make a webhook; its secret is shown this once',
    body: CreateWebhookBody,
    answers: { 201: WebhookCreated },
  }),
  deleteWebhook: operation({
    ...shared,
    method: 'delete',
    path: '/api/v1/webhooks/{id}',
    summary: 'Delete a webhook',
    params: WebhookPath,
    answers: { 204: null },
    errors: ['not_found'],
  }),
  listDeliveries: operation({
    ...shared,
    method: 'get',
    path: '/api/v1/webhooks/{id}/deliveries',
    summary: 'List what was sent to a webhook, newest first',
    params: WebhookPath,
    query: DeliveriesQuery,
    answers: { 200: WebhookDeliveryList },
    errors: ['not_found'],
  }),
  replayDeliveries: operation({
    ...shared,
    method: 'post',
    path: '/api/v1/webhooks/{id}/replay',
    summary: 'Send deliveries again: failed ones, or all from a time on; enables the webhook',
    params: WebhookPath,
    body: ReplayBody,
    answers: { 202: ReplayAnswer },
    errors: ['not_found'],
  }),
};

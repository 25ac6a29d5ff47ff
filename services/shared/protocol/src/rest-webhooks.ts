// REST shapes of webhooks: endpoints and what was delivered to them.
import { Type, type Static } from '@sinclair/typebox';
import { RoomId } from './client-frames.ts';
import { PAGE_DEFAULT, PAGE_MAX } from './limits.ts';

const strict = { additionalProperties: false };
const Timestamp = Type.String({ description: 'RFC 3339, UTC, milliseconds', examples: ['2026-01-02T03:04:05.678Z'] });
const nullable = <T extends typeof Timestamp>(schema: T) => Type.Union([schema, Type.Null()]);
const limit = Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT });

/** A webhook's id. */
export const WebhookId = Type.String({
  pattern: RoomId.pattern ?? '',
  description: 'UUID, lower case',
  examples: ['01980a3e-7c11-7d2f-9b1e-4f6f8a3b2c1d'],
});
/** Path of one webhook. */
export const WebhookPath = Type.Object({ id: WebhookId });
/** Where events go, and which. */
export const CreateWebhookBody = Type.Object(
  {
    url: Type.String({ maxLength: 2048, pattern: '^https?://', description: 'A public address', examples: ['https://example.org/hook'] }),
    events: Type.Array(Type.String({ maxLength: 64, examples: ['*'] }), {
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
      description: 'Types of events, or `*` for all',
    }),
    room_id: Type.Optional(RoomId),
  },
  strict,
);
/** A page of webhooks. */
export const WebhooksQuery = Type.Object({ limit, cursor: Type.Optional(WebhookId) }, strict);
/** What became of a delivery so far. */
export const DeliveryState = Type.Union([Type.Literal('pending'), Type.Literal('delivered'), Type.Literal('failed')]);
/** A page of deliveries. */
export const DeliveriesQuery = Type.Object(
  {
    limit,
    cursor: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    state: Type.Optional(DeliveryState),
  },
  strict,
);
/** Which deliveries are sent again. */
export const ReplayBody = Type.Object(
  {
    from: Type.Optional(
      Type.String({ maxLength: 40, description: 'RFC 3339; without it what failed', examples: ['2026-01-02T03:04:05.678Z'] }),
    ),
  },
  strict,
);

/** A webhook as it is shown. */
export const Webhook = Type.Object({
  id: WebhookId,
  url: Type.String(),
  events: Type.Array(Type.String()),
  room_id: Type.Union([RoomId, Type.Null()], { description: 'null: events of all rooms' }),
  created_by: Type.String({ description: 'Prefix of the API key that made it' }),
  created_at: Timestamp,
  disabled_at: nullable(Timestamp),
  disabled_reason: nullable(Type.String()),
  failures: Type.Integer({ minimum: 0, description: 'Failures since the last success' }),
});
/** A new webhook, with the secret of its signatures: shown this once. */
export const WebhookCreated = Type.Object({
  ...Webhook.properties,
  secret: Type.String({ description: 'Signs the deliveries; shown this once' }),
});
/** A page of webhooks. */
export const WebhookList = Type.Object({ webhooks: Type.Array(Webhook), next_cursor: Type.Union([WebhookId, Type.Null()]) });
/** One delivery of an event to a webhook. */
export const WebhookDelivery = Type.Object({
  id: Type.Integer({ minimum: 1 }),
  event_id: Type.String(),
  event_type: Type.String(),
  state: DeliveryState,
  attempts: Type.Integer({ minimum: 0 }),
  next_at: nullable(Timestamp),
  last_error: nullable(Type.String()),
  created_at: Timestamp,
});
/** Newest first. */
export const WebhookDeliveryList = Type.Object({
  deliveries: Type.Array(WebhookDelivery),
  next_cursor: Type.Union([Type.Integer(), Type.Null()]),
});
/** How many deliveries will be sent again. */
export const ReplayAnswer = Type.Object({ replayed: Type.Integer({ minimum: 0, description: 'Deliveries that are sent again' }) });

export type Webhook = Static<typeof Webhook>;
export type WebhookCreated = Static<typeof WebhookCreated>;
export type WebhookList = Static<typeof WebhookList>;
export type WebhookDelivery = Static<typeof WebhookDelivery>;
export type WebhookDeliveryList = Static<typeof WebhookDeliveryList>;
export type ReplayAnswer = Static<typeof ReplayAnswer>;

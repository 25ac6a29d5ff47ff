// The group `webhooks`: turns events into deliveries that wait in the database. Sending is the deliverer's: an endpoint that is slow
// or away holds up neither the others nor the partition.
import { topics } from '@parley/protocol';
import type { EventHandler } from '../consumers/ports.ts';
import { bodyOf, wants } from './plan.ts';
import type { DeliveryIntake } from './ports.ts';

/** Rows of one statement: at most about 3 MB. */
const ROWS_MAX = 50;

export function webhookHandler(intake: DeliveryIntake, onAdded: () => void): EventHandler {
  return {
    name: 'webhooks',
    topics: Object.values(topics),
    async handle(events) {
      const webhooks = await intake.webhooks();
      if (webhooks.length === 0) return;
      const rows = events.flatMap(({ event, text }) =>
        webhooks
          .filter((webhook) => wants(webhook, event))
          .map(({ id }) => ({ webhookId: id, eventId: event.id, eventType: event.type, body: bodyOf(event, text) })),
      );
      for (let start = 0; start < rows.length; start += ROWS_MAX) await intake.add(rows.slice(start, start + ROWS_MAX));
      if (rows.length > 0) onAdded();
    },
  };
}

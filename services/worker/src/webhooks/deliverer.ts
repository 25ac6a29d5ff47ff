// Sends what waits: one queue an endpoint, in order, one worker at a time (a claim in the database), all endpoints side by side.
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, messageOf, Outage, type Log } from '@parley/kit/process';
import type { WorkerMetrics } from '../metrics.ts';
import { nextAfter } from './plan.ts';
import type { Claim, Delivery, DeliveryQueue, WebhookSender } from './ports.ts';
import { SIGNATURE_HEADER, signatureOf } from './signature.ts';

/** How long an event of another worker's consumer waits at most before this one looks. */
const POLL_MS = 500;
const ENDPOINTS_AT_ONCE = 50;
const READ_AHEAD = 20;
const PRUNE_EVERY_MS = 60_000;
const PAUSE_MAX_MS = 5000;

export interface DelivererOptions {
  queue: DeliveryQueue;
  sender: WebhookSender;
  failuresMax: number;
  metrics: WorkerMetrics;
  log: Log;
  pollMs?: number;
}

export interface Deliverer {
  /** Something was added: look at once. */
  wake(): void;
  /** Cuts attempts that are under way; they count for nothing and are made again by the next worker. */
  stop(): Promise<void>;
}

export function startDeliverer(options: DelivererOptions): Deliverer {
  const stopping = new AbortController();
  const active = new Map<string, Promise<void>>();
  let wakeUp: () => void = () => undefined;
  const running = run(options, { stopping: stopping.signal, active, onWait: (wake) => (wakeUp = wake) });
  return {
    wake: () => wakeUp(),
    async stop() {
      stopping.abort(new Error('stopping'));
      wakeUp();
      await running;
      await Promise.all(active.values());
    },
  };
}

interface Life {
  stopping: AbortSignal;
  active: Map<string, Promise<void>>;
  onWait: (wake: () => void) => void;
}

async function run(options: DelivererOptions, { stopping, active, onWait }: Life): Promise<void> {
  const { queue, metrics, log, pollMs = POLL_MS } = options;
  const outage = new Outage(log, { away: 'the database is away; deliveries wait', back: 'the database is back; deliveries go on' });
  let prunedAt = 0;
  for (let failures = 0; !stopping.aborted;) {
    // Before the look, so that what is added during it is not missed.
    const waked = new Promise<void>((resolve) => onWait(resolve));
    let pauseMs = pollMs;
    try {
      if (Date.now() - prunedAt > PRUNE_EVERY_MS) {
        prunedAt = Date.now();
        const disabled = await queue.prune();
        if (disabled > 0) log.error({ disabled }, 'webhooks disabled: too much waits for them');
        metrics.webhooksWaiting.set(await queue.waiting());
      }
      for (const id of await queue.due(ENDPOINTS_AT_ONCE)) {
        if (active.has(id) || active.size >= ENDPOINTS_AT_ONCE) continue;
        const work = deliverAll(id, options, stopping)
          .catch((error: unknown) => log.warn({ webhook: id, reason: messageOf(error) }, 'deliveries interrupted'))
          .finally(() => active.delete(id));
        active.set(id, work);
      }
      outage.ended();
      failures = 0;
    } catch (error) {
      outage.began(messageOf(error));
      pauseMs = backoffMs(failures++, { baseMs: pollMs, maxMs: PAUSE_MAX_MS });
    }
    const over = new AbortController();
    await Promise.race([waked, sleep(pauseMs, undefined, { signal: over.signal }).catch(() => undefined)]);
    over.abort();
  }
}

async function deliverAll(id: string, options: DelivererOptions, stopping: AbortSignal): Promise<void> {
  const { queue } = options;
  try {
    while (!stopping.aborted) {
      const deliveries = (await queue.claim(id)) ? await queue.next(id, READ_AHEAD) : [];
      if (deliveries.length === 0) return;
      for (const delivery of deliveries) {
        // Prolonged before each attempt: it lasts longer than one.
        const held = stopping.aborted ? undefined : await queue.claim(id);
        if (!held || (await attempt(held, delivery, options, stopping)) === 'wait') return;
      }
    }
  } finally {
    await queue.release(id);
  }
}

/** next: the one behind it may be sent. */
async function attempt(claim: Claim, delivery: Delivery, options: DelivererOptions, stopping: AbortSignal): Promise<'next' | 'wait'> {
  const { queue, sender, failuresMax, metrics, log } = options;
  const { id, url, secret, failures } = claim;
  const outcome = await sender.send({
    url,
    body: delivery.body,
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      [SIGNATURE_HEADER]: signatureOf(delivery.body, { secret, at: new Date() }),
      'x-parley-event': delivery.eventType,
      'x-parley-event-id': delivery.eventId,
      'x-parley-delivery': String(delivery.id),
    },
    signal: stopping,
  });
  if (stopping.aborted && !outcome.delivered) return 'wait';
  metrics.webhookAttempts.inc({ result: outcome.delivered ? 'delivered' : 'failed' });
  const attempted = { attempts: delivery.attempts + 1, failures };
  const next = nextAfter(outcome, attempted, { failuresMax, random: Math.random() });
  if (outcome.delivered || next.action === 'delivered') {
    await queue.settle(id, { id: delivery.id, state: 'delivered' });
    return 'next';
  }
  const { error } = outcome;
  if (next.action === 'retry') {
    await queue.settle(id, { id: delivery.id, state: 'pending', error, afterMs: next.afterMs });
    return 'wait';
  }
  await queue.settle(id, { id: delivery.id, state: 'failed', error });
  if (next.action === 'give-up') {
    log.warn({ webhook: id, event_id: delivery.eventId, reason: error }, 'the endpoint refuses an event; going on with the next');
    return 'next';
  }
  await queue.disable(id, next.reason);
  log.error({ webhook: id, reason: next.reason }, 'webhook disabled');
  return 'wait';
}

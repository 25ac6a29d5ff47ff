// What webhooks need from outside: a place for endpoints and deliveries, and a way to send.
import type { Outcome, Subscription } from './plan.ts';

/** An endpoint and what it asked for. Its secret is not part of it. */
export interface Webhook extends Subscription {
  id: string;
  url: string;
  createdBy: string;
  disabledAt: Date | null;
  disabledReason: string | null;
  /** Consecutive failures. */
  failures: number;
}

/** An event on its way to one endpoint; `body` is what is signed and sent. */
export interface NewDelivery {
  webhookId: string;
  eventId: string;
  eventType: string;
  body: string;
}

/** One that waits; `attempts` are those made so far. */
export interface Delivery extends NewDelivery {
  id: number;
  attempts: number;
}

/** `failed`: given up, or the endpoint was disabled; a replay makes it pending again. */
export type DeliveryState = 'pending' | 'delivered' | 'failed';

/** A delivery as administrators see it. */
export interface DeliveryView {
  id: number;
  eventId: string;
  eventType: string;
  state: DeliveryState;
  attempts: number;
  nextAt: Date;
  lastError: string | null;
  createdAt: Date;
}

/** For administrators. */
export interface Webhooks {
  list(page: { after: string | undefined; limit: number }): Promise<Webhook[]>;
  find(id: string): Promise<Webhook | undefined>;
  create(webhook: { url: string; secret: string; events: readonly string[]; roomId: string | null; createdBy: string }): Promise<Webhook>;
  /** false: there is none. */
  remove(id: string): Promise<boolean>;
  deliveries(id: string, page: { state: DeliveryState | undefined; before: number | undefined; limit: number }): Promise<DeliveryView[]>;
  /** Makes deliveries pending again and the webhook enabled. undefined: there is no such webhook. */
  replay(id: string, choice: { from: Date | undefined }): Promise<number | undefined>;
}

/** For the consumer. */
export interface DeliveryIntake {
  webhooks(): Promise<Webhook[]>;
  /** Rows that are there already stay as they are: an event is delivered once, however often it comes. */
  add(deliveries: readonly NewDelivery[]): Promise<void>;
}

/** An endpoint that this process may send to for 20 s from each claim; `failures` are consecutive ones. */
export interface Claim {
  id: string;
  url: string;
  secret: string;
  failures: number;
}

/** What became of an attempt; `afterMs`: not again before so many milliseconds. */
export type Settled =
  | { id: number; state: 'delivered' }
  | { id: number; state: 'failed'; error: string }
  | { id: number; state: 'pending'; error: string; afterMs: number };

/** For the deliverer. All times are those of the database. */
export interface DeliveryQueue {
  /** Endpoints with something due that no other process has claimed. */
  due(limit: number): Promise<string[]>;
  /** undefined: another process was faster. Also prolongs a claim of one's own. */
  claim(id: string): Promise<Claim | undefined>;
  release(id: string): Promise<void>;
  /** The oldest pending ones, as far as the first is due. */
  next(id: string, limit: number): Promise<Delivery[]>;
  settle(id: string, settled: Settled): Promise<void>;
  disable(id: string, reason: string): Promise<void>;
  /** Drops what is too old or too much. Returns how many endpoints were disabled because too much waits for them. */
  prune(): Promise<number>;
  waiting(): Promise<number>;
}

/** Sends one body to one URL. Never rejects: what went wrong is an outcome. */
export interface WebhookSender {
  send(request: { url: string; body: string; headers: Record<string, string>; signal: AbortSignal }): Promise<Outcome>;
}

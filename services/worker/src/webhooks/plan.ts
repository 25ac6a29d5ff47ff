// What is delivered to whom, and what follows from an attempt. Pure: time and chance are arguments.

export const BODY_MAX_BYTES = 64 * 1024;
/** In the list of a webhook's events: all of them. */
export const ANY_EVENT = '*';
/** Clocks of servers differ a little: an event from just after the webhook was made must not look older than it. */
const CLOCK_TOLERANCE_MS = 5000;
/** An answer that says "this event is wrong" is believed the third time. */
const REFUSALS_MAX = 3;
const PAUSE_BASE_MS = 1000;
export const PAUSE_MAX_MS = 600_000;

export interface Subscription {
  events: readonly string[];
  roomId: string | null;
  createdAt: Date;
}

export interface PlainEvent {
  id: string;
  type: string;
  subject: string;
  time: string;
  data: object;
}

export function wants({ events, roomId, createdAt }: Subscription, event: PlainEvent): boolean {
  if (!events.includes(ANY_EVENT) && !events.includes(event.type)) return false;
  if (roomId !== null && (event.data as { room_id?: string }).room_id !== roomId) return false;
  return Date.parse(event.time) >= createdAt.getTime() - CLOCK_TOLERANCE_MS;
}

/** The body is the event as it stands in Kafka; one that is too large is replaced by a pointer to what it tells of. */
export function bodyOf(event: PlainEvent, text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= BODY_MAX_BYTES) return text;
  const { room_id, seq, user_id } = event.data as Record<string, unknown>;
  return JSON.stringify({ ...event, data: { omitted: true, bytes, room_id, seq, user_id } });
}

export type Outcome = { delivered: true } | { delivered: false; error: string; status?: number };

export interface Attempted {
  /** Attempts of this event, with the last one. */
  attempts: number;
  /** Consecutive failures of the endpoint, without the last one. */
  failures: number;
}

export type Next =
  | { action: 'delivered' }
  /** Again after this time; the events behind it wait, so that their order stays. */
  | { action: 'retry'; afterMs: number }
  /** The endpoint takes other events, but not this one. */
  | { action: 'give-up' }
  | { action: 'disable'; reason: string };

/**
 * Whether an HTTP answer says something about the request, so that another try is in vain. Time-outs, "too early" and "too many" say
 * something about the moment; undefined is no answer at all.
 */
export const isRefusal = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500 && ![408, 425, 429].includes(status);

export function nextAfter(
  outcome: Outcome,
  { attempts, failures }: Attempted,
  { failuresMax, random }: { failuresMax: number; random: number },
): Next {
  if (outcome.delivered) return { action: 'delivered' };
  if (outcome.status === 410) return { action: 'disable', reason: 'the endpoint is gone (410)' };
  if (failures + 1 >= failuresMax) return { action: 'disable', reason: `${failures + 1} failures in a row, the last: ${outcome.error}` };
  if (isRefusal(outcome.status) && attempts >= REFUSALS_MAX) return { action: 'give-up' };
  const full = Math.min(PAUSE_MAX_MS, PAUSE_BASE_MS * 2 ** Math.min(failures, 20));
  return { action: 'retry', afterMs: Math.round(full * (0.5 + random / 2)) };
}

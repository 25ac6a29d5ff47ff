// Tells Kafka's "you may not" and "I do not take this" from "I am away": no retry changes the first two.
import { messageOf } from '@parley/kit/process';

/** kafkajs wraps the broker's answer, sometimes twice. */
const DEPTH_MAX = 5;

/** What Kafka refused this process; undefined: it was something else. */
export function refusedByKafka(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < DEPTH_MAX; at = at.cause, depth++) {
    const { name, type, message } = at as Error & { type?: string };
    if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') return `the login failed: ${message}`;
    if (type?.endsWith('_AUTHORIZATION_FAILED')) return `${type}: ${message}`;
  }
  return undefined;
}

/** Answers about the records themselves. */
const RECORD_REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);

/** Why Kafka will never take one of the records; undefined: it was something else, and they may be sent again. */
export function refusedRecords(error: unknown): string | undefined {
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < DEPTH_MAX; at = (at as { cause?: unknown }).cause, depth++) {
    const { type } = at as { type?: string };
    if (type !== undefined && RECORD_REFUSALS.has(type)) return `${type}: ${messageOf(at)}`;
  }
  return undefined;
}

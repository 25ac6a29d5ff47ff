// Tells Kafka's "you may not" from "I am away": the first no retry changes, a person has to.

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

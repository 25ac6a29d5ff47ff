// How to reach Kafka, for the worker and the command for dead letters: variables, and what they mean together.
import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '@parley/kit/process';
import { list, secret } from '@parley/kit/settings';
import { Type, type Static, type TObject } from '@sinclair/typebox';
import type { SASLOptions } from 'kafkajs';

const MECHANISMS = ['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export const kafkaVariables = {
  kafkaBrokers: list('host:port of Kafka brokers, comma-separated; empty: events wait in the databases'),
  kafkaTls: Type.Boolean({ default: false, description: 'connect to Kafka over TLS' }),
  kafkaCa: Type.Optional(
    secret('PEM of the authority that signed the certificates of the brokers; without it those that Node knows', { optional: true }),
  ),
  kafkaSaslMechanism: Type.Union(
    MECHANISMS.map((each) => Type.Literal(each)),
    { default: 'none', description: `how to log in to Kafka: ${MECHANISMS.join(', ')}` },
  ),
  kafkaUser: Type.Optional(secret('user of Kafka, with a mechanism', { optional: true })),
  kafkaPassword: Type.Optional(secret('password of that user', { optional: true })),
};
export type KafkaConfig = Static<TObject<typeof kafkaVariables>>;

/** Environment of the command for dead letters: what the worker's pods have anyway. */
export const dlqConfig = Type.Object(kafkaVariables);

/** What kafkajs is given beside the brokers. */
export interface KafkaSecurity {
  ssl?: ConnectionOptions;
  sasl?: SASLOptions;
}

/** Throws a ConfigError for what does not fit together. */
export function kafkaSecurity(config: KafkaConfig): KafkaSecurity {
  const { kafkaTls: tls, kafkaCa: ca, kafkaSaslMechanism: mechanism, kafkaUser: username, kafkaPassword: password } = config;
  const problems: string[] = [];
  if (mechanism !== 'none') {
    if (username === undefined) problems.push(`KAFKA_USER is missing: KAFKA_SASL_MECHANISM is ${mechanism} (or KAFKA_USER_FILE)`);
    if (password === undefined) problems.push(`KAFKA_PASSWORD is missing: KAFKA_SASL_MECHANISM is ${mechanism} (or KAFKA_PASSWORD_FILE)`);
  }
  if (mechanism === 'none' && (username ?? password) !== undefined)
    problems.push('KAFKA_SASL_MECHANISM is none, but there is a user or a password: name the mechanism, or remove them');
  if (mechanism === 'PLAIN' && !tls)
    problems.push('KAFKA_SASL_MECHANISM is PLAIN, which sends the password as it is: set KAFKA_TLS to true, or use SCRAM-SHA-512');
  if (ca !== undefined && !tls) problems.push('KAFKA_CA is given, but KAFKA_TLS is false: set it to true, or remove the authority');
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    ...(tls ? { ssl: ca === undefined ? {} : { ca } } : {}),
    ...(mechanism === 'none' ? {} : { sasl: saslOf(mechanism, username ?? '', password ?? '') }),
  };
}

function saslOf(mechanism: Exclude<(typeof MECHANISMS)[number], 'none'>, username: string, password: string): SASLOptions {
  if (mechanism === 'PLAIN') return { mechanism: 'plain', username, password };
  return { mechanism: mechanism === 'SCRAM-SHA-256' ? 'scram-sha-256' : 'scram-sha-512', username, password };
}

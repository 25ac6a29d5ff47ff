// Variables of Kafka: what they mean together, and what does not fit.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, loadConfig } from '@parley/kit/process';
import { dlqConfig, kafkaSecurity } from '../../../services/worker/src/kafka/config.ts';
import { refusedByKafka } from '../../../services/worker/src/kafka/refusal.ts';

const of = (env: Record<string, string>) => kafkaSecurity(loadConfig(dlqConfig, env, (path) => `content of ${path}\n`));
const problemOf = (env: Record<string, string>): string => {
  try {
    of(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.join('\n');
  }
  return '';
};
const login = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_USER: 'ann', KAFKA_PASSWORD: 'secret' };

describe('security of Kafka', () => {
  test('nothing is asked unless it is set', () => {
    assert.deepEqual(of({}), {});
    assert.deepEqual(of({ KAFKA_TLS: 'true' }), { ssl: {} });
  });

  test('a login, an authority, and both from files', () => {
    assert.deepEqual(of(login), { sasl: { mechanism: 'scram-sha-512', username: 'ann', password: 'secret' } });
    const files = {
      KAFKA_TLS: 'true',
      KAFKA_CA_FILE: '/ca',
      KAFKA_SASL_MECHANISM: 'PLAIN',
      KAFKA_USER_FILE: '/user',
      KAFKA_PASSWORD_FILE: '/word',
    };
    assert.deepEqual(of(files), {
      ssl: { ca: 'content of /ca' },
      sasl: { mechanism: 'plain', username: 'content of /user', password: 'content of /word' },
    });
  });

  test('what does not fit together is told with the remedy', () => {
    assert.match(problemOf({ KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_TLS: 'true' }), /KAFKA_USER is missing[\s\S]*KAFKA_PASSWORD is missing/);
    assert.match(problemOf({ ...login, KAFKA_SASL_MECHANISM: 'PLAIN' }), /sends the password as it is: set KAFKA_TLS to true/);
    assert.match(problemOf({ KAFKA_USER: 'ann' }), /name the mechanism/);
    assert.match(problemOf({ KAFKA_CA: 'pem' }), /KAFKA_TLS is false/);
    assert.match(problemOf({ KAFKA_SASL_MECHANISM: 'GSSAPI' }), /none, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512/);
    assert.ok(!problemOf({ ...login, KAFKA_CA: 'pem' }).includes('secret'));
  });

  test('a refusal is told from an outage, also when kafkajs has wrapped it', () => {
    const named = (name: string, message: string, more: object = {}) => Object.assign(new Error(message), { name, ...more });
    assert.equal(refusedByKafka(named('KafkaJSSASLAuthenticationError', 'wrong')), 'the login failed: wrong');
    const denied = named('KafkaJSProtocolError', 'no', { type: 'TOPIC_AUTHORIZATION_FAILED' });
    assert.equal(refusedByKafka(new Error('gave up', { cause: denied })), 'TOPIC_AUTHORIZATION_FAILED: no');
    assert.equal(refusedByKafka(named('KafkaJSConnectionError', 'connection refused')), undefined);
    assert.equal(refusedByKafka('text'), undefined);
  });
});

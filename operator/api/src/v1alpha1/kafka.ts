// Kafka of others in the spec: brokers that run elsewhere, with TLS and a login, and what mode strimzi cannot have.
import { Type } from '@sinclair/typebox';
import { externalRules, objectName, oneOf, pattern, rules, SecretRef, type CelRule } from './schema-parts.ts';

/** Served since Strimzi 0.49; Strimzi 1.0 serves nothing older, so this is the one that lasts. */
export const STRIMZI_API = 'kafka.strimzi.io/v1';
/** The oldest Strimzi whose Kafka resources are written. */
export const STRIMZI_SINCE = '0.49';

const Brokers = Type.Array(
  Type.String({
    maxLength: 253,
    ...pattern('^[^:,\\s]+:[0-9]+$', 'must be host:port of a broker, for instance kafka.example.com:9092'),
  }),
  {
    minItems: 1,
    maxItems: 20,
    description: 'host:port of your brokers',
  },
);

const Tls = Type.Object(
  {
    caSecretRef: Type.Optional(
      SecretRef('ca.crt', 'PEM of the authority that signed the certificates of the brokers; without it the public ones are trusted'),
    ),
  },
  { description: 'Connect over TLS; {} is enough where a public authority signed' },
);

const Login = Type.Object(
  {
    name: objectName({ description: 'Name of a Secret in the same namespace, with the keys user and password' }),
    mechanism: oneOf(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'], { default: 'SCRAM-SHA-512', description: 'SASL mechanism' }),
  },
  { description: 'How to log in; without it nobody does' },
);

export const KafkaExternal = Type.Object(
  { bootstrapServers: Brokers, tls: Type.Optional(Tls), authSecretRef: Type.Optional(Login) },
  {
    description: 'Your own Kafka',
    ...rules({
      rule: "!has(self.authSecretRef) || self.authSecretRef.mechanism != 'PLAIN' || has(self.tls)",
      message: 'mechanism PLAIN sends the password as it is: add tls: {}, or use SCRAM-SHA-512',
    }),
  },
);

/** Those of every part with `external`, and one more. */
export const kafkaRules = rules(...(externalRules['x-kubernetes-validations'] as CelRule[]), {
  rule: "self.mode != 'strimzi' || !has(self.nodeSelector)",
  message: 'Strimzi knows no nodeSelector: use affinity with a nodeAffinity instead',
  reason: 'FieldValueForbidden',
});

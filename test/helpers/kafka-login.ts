// What a broker asks of its clients in tests: TLS, and a login by any mechanism with one user.
import type { ClientListener } from '../../kind/servers/src/kafka.ts';

export interface KafkaLogin {
  user: string;
  password: string;
}

/** Properties files know no lines within a value. */
const oneLine = (pem: string): string => pem.trim().replaceAll('\n', '\\n');

export function loginListener({ user, password }: KafkaLogin, { chain, key }: { chain: string; key: string }): ClientListener {
  const listener = 'listener.name.clients';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    protocol: 'SASL_SSL',
    settings: {
      [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      [`${listener}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`,
      [`${listener}.scram-sha-256.sasl.jaas.config`]: scram,
      [`${listener}.scram-sha-512.sasl.jaas.config`]: scram,
      [`${listener}.ssl.keystore.type`]: 'PEM',
      [`${listener}.ssl.keystore.certificate.chain`]: oneLine(chain),
      [`${listener}.ssl.keystore.key`]: oneLine(key),
    },
    formatting: ['SHA-256', 'SHA-512'].flatMap((hash) => ['--add-scram', `SCRAM-${hash}=[name=${user},password=${password}]`]),
  };
}

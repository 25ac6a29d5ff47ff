// Secrets that are generated once and never overwritten. Randomness is an argument, so that this stays pure.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { hasCanary } from './charts/canary.ts';
import { nodeConf, redisConf, sentinelConf, sentinelUrl } from './redis-config.ts';
import { nameOf } from './names.ts';
import { fqdnOf, hasSentinels, ports, type Plan } from './plan.ts';

/** Random bytes, as many as asked for; of `node:crypto` outside of tests. */
export type Random = (bytes: number) => Buffer;

/** A Secret that is made once and never changed afterwards. */
export interface GeneratedSecret {
  name: string;
  /** All keys of the Secret as text. */
  make: (random: Random) => Record<string, string>;
}

const password = (random: Random): string => random(24).toString('base64url');

/** `pk_<prefix>_<256 random bits>`: the prefix finds the key, the rest proves it. */
export const apiKey = (random: Random): string => `pk_${random(4).toString('hex')}_${random(32).toString('base64url')}`;

/** PKCS #8 wrapper of a raw Ed25519 private key (RFC 8410 §7). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A JWKS with one private Ed25519 key. */
export function signingKeys(random: Random): { keys: Record<string, string>[] } {
  const key = createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, random(32)]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  const { d } = key.export({ format: 'jwk' });
  return {
    keys: [{ kty: 'OKP', crv: 'Ed25519', x: x as string, d: d as string, kid: random(8).toString('hex'), alg: 'EdDSA', use: 'sig' }],
  };
}

/** The Secrets that a plan needs and nobody else provides. */
export function secretsOf(plan: Plan): GeneratedSecret[] {
  const { cluster, spec } = plan;
  const named = (part: string, make: GeneratedSecret['make']): GeneratedSecret => ({ name: nameOf(cluster, part), make });
  const secrets = [
    named('jwt', (random) => ({ 'keys.json': JSON.stringify(signingKeys(random)) })),
    named('api-key', (random) => ({ apiKey: apiKey(random) })),
    ...(spec.ingress.statsAuth ? [] : [named('stats', (random) => ({ user: 'parley', password: password(random) }))]),
  ];
  if (hasCanary(plan)) secrets.push(named('canary', (random) => ({ password: password(random) })));
  if (spec.mysql.mode === 'builtin') {
    secrets.push(
      named('mysql', (random) => {
        const secret = password(random);
        return {
          url: `mysql://parley:${secret}@${fqdnOf(plan, 'mysql')}:${ports.mysql}/parley`,
          password: secret,
          rootPassword: password(random),
        };
      }),
    );
  }
  if (spec.postgres.mode === 'builtin') {
    secrets.push(
      named('postgres', (random) => {
        const secret = password(random);
        return { url: `postgres://parley:${secret}@${fqdnOf(plan, 'postgres')}:${ports.postgres}/parley`, password: secret };
      }),
    );
  }
  if (spec.redis.mode === 'builtin') {
    secrets.push(
      named('redis', (random) => {
        const secret = password(random);
        // Other keys for another shape: a Secret of one that was kept would otherwise lead the other one astray without a word.
        return hasSentinels(plan)
          ? { url: sentinelUrl(plan, secret), password: secret, 'node.conf': nodeConf(secret), 'sentinel.conf': sentinelConf(secret) }
          : { url: `redis://:${secret}@${fqdnOf(plan, 'redis')}:${ports.redis}`, password: secret, 'redis.conf': redisConf(secret) };
      }),
    );
  }
  // A Kafka cluster id is a UUID in base64url; one that begins with a dash is taken for an option by its tools.
  if (spec.kafka.mode === 'builtin')
    secrets.push(named('kafka', (random) => ({ clusterId: random(16).toString('base64url').replace(/^-/, 'A') })));
  return secrets;
}

// Secrets that the spec names and somebody else makes: which there are, and which of them are missing.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Plan } from '@parley/cdk8s';
import { isRedisUrl, REDIS_URL_FORMS } from '@parley/kit/redis-url';
import { S3_CREDENTIALS } from '@parley/operator-api';
import { pathOf, secrets } from '../kube/resources.ts';
import { isNotFound, type KubeTransport } from '../kube/transport.ts';

export interface NamedSecret {
  /** field of the spec */
  field: string;
  name: string;
  key: string;
}

type Ref = readonly [field: string, ref: { name: string; key: string } | undefined];
const keysOf = (field: string, name: string | undefined, keys: readonly string[]): Ref[] =>
  name ? keys.map((key) => [field, { name, key }]) : [];

/** Every Secret that the spec refers to. Pure. */
export function secretRefs({ spec }: Plan): NamedSecret[] {
  const refs: [field: string, ref: { name: string; key: string } | undefined][] = [
    ...(['mysql', 'postgres', 'redis'] as const).map(
      (part) => [`${part}.external.urlSecretRef`, spec[part].external?.urlSecretRef] as const,
    ),
    ['kafka.external.tls.caSecretRef', spec.kafka.external?.tls?.caSecretRef],
    ...keysOf('kafka.external.authSecretRef', spec.kafka.external?.authSecretRef?.name, ['user', 'password']),
    ...spec.auth.issuers.map(({ hs256SecretRef }, index) => [`auth.issuers[${index}].hs256SecretRef`, hs256SecretRef] as const),
    ['worker.notifications.secretRef', spec.worker.notifications?.secretRef],
    ['monitoring.tracing.headersSecretRef', spec.monitoring.tracing?.headersSecretRef],
    ...keysOf('backup.s3.credentialsSecretRef', spec.backup?.s3?.credentialsSecretRef.name, S3_CREDENTIALS),
    ['backup.s3.caSecretRef', spec.backup?.s3?.caSecretRef],
    ...keysOf('ingress.tls.secretName', spec.ingress.tls?.secretName, ['tls.crt', 'tls.key']),
    ...keysOf('ingress.statsAuth.secretRef', spec.ingress.statsAuth?.secretRef.name, ['user', 'password']),
  ].map(([field, ref]) => [field as string, ref as { name: string; key: string } | undefined]);
  return refs.flatMap(([field, ref]) => (ref ? [{ field, name: ref.name, key: ref.key }] : []));
}

/** One sentence for each that is not there or of no use, with the next step. */
export async function missingSecrets(plan: Plan, transport: KubeTransport, now: Date): Promise<string[]> {
  const refs = secretRefs(plan);
  const names = [...new Set(refs.map(({ name }) => name))];
  const found = new Map(await Promise.all(names.map(async (name) => [name, await read(plan, name, transport)] as const)));
  const missing = refs.flatMap(({ field, name, key }) => {
    const data = found.get(name);
    if (!data) return [`spec.${field} names the Secret ${name}, which does not exist: make it, with the key ${key}`];
    const wrong = data[key] && urlProblem(field, textOf(data[key]));
    if (wrong) return [`spec.${field}: the key ${key} of the Secret ${name} ${wrong}`];
    return data[key] ? [] : [`spec.${field} names the key ${key} of the Secret ${name}, which has no such key: add it`];
  });
  const certificate = plan.spec.ingress.tls && found.get(plan.spec.ingress.tls.secretName);
  const problem = certificate && certificateProblem(textOf(certificate['tls.crt']), textOf(certificate['tls.key']), now);
  return problem ? [...missing, `spec.ingress.tls.secretName: the Secret ${plan.spec.ingress.tls?.secretName}: ${problem}`] : missing;
}

/** By the field that names it; Redis has a rule of its own. */
const SCHEMES: Record<string, readonly string[]> = {
  'mysql.external.urlSecretRef': ['mysql:'],
  'postgres.external.urlSecretRef': ['postgres:', 'postgresql:'],
};

/** What no service could work with; the value itself is a secret and is not told. undefined: nothing. */
export function urlProblem(field: string, value: string): string | undefined {
  const text = value.trim();
  if (field === 'redis.external.urlSecretRef')
    return isRedisUrl(text) ? undefined : `is no URL of Redis: it should be like ${REDIS_URL_FORMS}`;
  const schemes = SCHEMES[field];
  if (!schemes) return undefined;
  const example = `${schemes[0]}//user:password@host:port/database`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.hostname === '') return `is no URL with a host: it should be like ${example}`;
  return schemes.includes(url.protocol)
    ? undefined
    : `begins with ${url.protocol}// and not with ${schemes.join('// or ')}//: it should be like ${example}`;
}

const textOf = (base64 = ''): string => Buffer.from(base64, 'base64').toString('utf8');

/** undefined: there is none of that name. */
async function read({ namespace }: Plan, name: string, transport: KubeTransport): Promise<Record<string, string> | undefined> {
  try {
    const secret = await transport.request('GET', pathOf(secrets, namespace, name));
    return (secret['data'] ?? {}) as Record<string, string>;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** What a browser would refuse, or HAProxy; undefined: nothing, or a part is missing, which is told elsewhere. */
export function certificateProblem(chain: string, key: string, now: Date): string | undefined {
  if (chain === '' || key === '') return undefined;
  try {
    const certificate = new X509Certificate(chain);
    if (!certificate.checkPrivateKey(createPrivateKey(key)))
      return 'tls.key does not belong to tls.crt; store the two that were made together';
    if (new Date(certificate.validTo) < now) return `the certificate ended on ${certificate.validTo}; renew it`;
    if (new Date(certificate.validFrom) > now) return `the certificate begins only on ${certificate.validFrom}; wait, or make another one`;
    return undefined;
  } catch {
    return 'tls.crt or tls.key cannot be read; both must be PEM, the key without a password';
  }
}

// Secrets that the spec names and somebody else makes: which there are, and which of them are missing.
import type { Plan } from '@parley/cdk8s';
import { pathOf, secrets } from './kube/resources.ts';
import { isNotFound, type KubeTransport } from './kube/transport.ts';

export interface NamedSecret {
  /** field of the spec */
  field: string;
  name: string;
  key: string;
}

/** Every Secret that the spec refers to. Pure. */
export function secretRefs({ spec }: Plan): NamedSecret[] {
  const refs: [field: string, ref: { name: string; key: string } | undefined][] = [
    ...(['mysql', 'postgres', 'redis'] as const).map(
      (part) => [`${part}.external.urlSecretRef`, spec[part].external?.urlSecretRef] as const,
    ),
    ...spec.auth.issuers.map(({ hs256SecretRef }, index) => [`auth.issuers[${index}].hs256SecretRef`, hs256SecretRef] as const),
    ['worker.notifications.secretRef', spec.worker.notifications?.secretRef],
    ['monitoring.tracing.headersSecretRef', spec.monitoring.tracing?.headersSecretRef],
  ].map(([field, ref]) => [field as string, ref as { name: string; key: string } | undefined]);
  return refs.flatMap(([field, ref]) => (ref ? [{ field, name: ref.name, key: ref.key }] : []));
}

/** One sentence for each that is not there, with the next step. */
export async function missingSecrets(plan: Plan, transport: KubeTransport): Promise<string[]> {
  const found = await Promise.all(
    secretRefs(plan).map(async ({ field, name, key }) => {
      const secret = await transport.request('GET', pathOf(secrets, plan.namespace, name)).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (!secret) return `spec.${field} names the Secret ${name}, which does not exist: make it, with the key ${key}`;
      const data = (secret['data'] ?? {}) as Record<string, string>;
      return data[key] ? undefined : `spec.${field} names the key ${key} of the Secret ${name}, which has no such key: add it`;
    }),
  );
  return found.filter((each) => each !== undefined);
}

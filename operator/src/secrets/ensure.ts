// Generated Secrets: made when they are missing, never overwritten, read by name only.
import { clusterLabels, secretsOf, type Plan } from '@parley/cdk8s';
import { FIELD_MANAGER } from '../kube/applier.ts';
import { ROTATE_ANNOTATION } from './signing-keys.ts';
import { pathOf, secrets } from '../kube/resources.ts';
import { isConflict, isNotFound, type KubeObject, type KubeTransport } from '../kube/transport.ts';

/** Secrets survive the ChatCluster when data does: a retained volume is of no use without its password. */
function keptWithData(plan: Plan, name: string): boolean {
  const { mysql, postgres, redis, kafka } = plan.spec;
  // The account of the canary is in PostgreSQL.
  const storages = { mysql, postgres, redis, kafka, canary: postgres };
  return Object.entries(storages).some(([part, { storage }]) => name === `${plan.cluster}-${part}` && storage.whenDeleted === 'Retain');
}

/** A new key is what a ChatCluster asked for that asks for one from its beginning. */
function asked(name: string, plan: Plan, { annotations }: KubeObject['metadata']): { annotations?: Record<string, string> } {
  const value = name === `${plan.cluster}-jwt` ? annotations?.[ROTATE_ANNOTATION] : undefined;
  return value === undefined ? {} : { annotations: { [ROTATE_ANNOTATION]: value } };
}

export async function ensureSecrets(
  plan: Plan,
  owner: KubeObject,
  transport: KubeTransport,
  random: (bytes: number) => Buffer,
): Promise<void> {
  for (const { name, make } of secretsOf(plan)) {
    const existing = await transport.request('GET', pathOf(secrets, plan.namespace, name)).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const data = (existing?.['data'] ?? {}) as Record<string, string>;
    const values = Object.entries(make(random)).filter(([key]) => data[key] === undefined);
    if (values.length === 0) continue;
    if (existing && Object.keys(data).length > 0) {
      throw new Error(
        `Secret ${name} lacks ${values.map(([key]) => key).join(', ')}: add them, or delete the Secret to have it generated anew`,
      );
    }
    const { apiVersion, kind, metadata } = owner;
    const ownerReferences = keptWithData(plan, name)
      ? []
      : [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true }];
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: plan.namespace, labels: clusterLabels(plan.cluster), ownerReferences, ...asked(name, plan, metadata) },
      type: 'Opaque',
      data: Object.fromEntries(values.map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
    };
    try {
      await transport.request('POST', pathOf(secrets, plan.namespace), { query: { fieldManager: FIELD_MANAGER }, body });
    } catch (error) {
      // Another replica of the operator was quicker.
      if (!isConflict(error)) throw error;
    }
  }
}

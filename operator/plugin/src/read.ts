// What the plugin reads of the API server. What the caller may not read is left out, not an error.
import {
  ApiError,
  chatClusters,
  isNotFound,
  leases,
  pathOf,
  podFacts,
  pods,
  type KubeObject,
  type KubeTransport,
} from '@parley/operator/reading';
import type { Seen } from './diagnose.ts';

const OPERATOR_NAMESPACE = 'parley-system';
const LEASE = 'parley-operator';

/** Told to the person as it is. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

interface List {
  items: KubeObject[];
}

const isForbidden = (error: unknown): boolean => error instanceof ApiError && (error.status === 403 || error.status === 401);

export async function listClusters(transport: KubeTransport, namespace: string | undefined): Promise<KubeObject[]> {
  try {
    return (await transport.request<List>('GET', pathOf(chatClusters, namespace))).items;
  } catch (error) {
    if (isNotFound(error))
      throw new UserError('This cluster does not know ChatCluster. Install it: kubectl apply --server-side -f charts/install.yaml');
    throw error;
  }
}

/** The one of that name, or the only one. */
export async function chooseCluster(transport: KubeTransport, namespace: string, name: string | undefined): Promise<KubeObject> {
  const all = await listClusters(transport, namespace);
  const names = all.map(({ metadata }) => metadata.name).join(', ');
  const found = name === undefined ? all[0] : all.find(({ metadata }) => metadata.name === name);
  if (all.length === 0) throw new UserError(`There is no ChatCluster in the namespace ${namespace}; choose another one with -n`);
  if (!found) throw new UserError(`There is no ChatCluster ${name} in the namespace ${namespace}; there are: ${names}`);
  if (name === undefined && all.length > 1) throw new UserError(`There are several ChatClusters in ${namespace}; name one of: ${names}`);
  return found;
}

export async function readSeen(transport: KubeTransport, cluster: KubeObject, nowMs: number): Promise<Seen> {
  const { name, namespace = '', generation = 0 } = cluster.metadata;
  const labelSelector = `app.kubernetes.io/instance=${name},app.kubernetes.io/managed-by=parley-operator`;
  const [found, leaseAgeSeconds] = await Promise.all([
    transport.request<List>('GET', pathOf(pods, namespace), { query: { labelSelector } }).catch((error: unknown) => {
      if (isForbidden(error)) return undefined;
      throw error;
    }),
    leaseAge(transport, nowMs),
  ]);
  return {
    ...{ name, namespace, generation, leaseAgeSeconds },
    paused: (cluster['spec'] as { paused?: boolean } | undefined)?.paused === true,
    status: cluster['status'] ?? {},
    pods: found?.items.map(podFacts),
  };
}

async function leaseAge(transport: KubeTransport, nowMs: number): Promise<Seen['leaseAgeSeconds']> {
  try {
    const lease = await transport.request('GET', pathOf(leases, OPERATOR_NAMESPACE, LEASE));
    const { holderIdentity, renewTime } = (lease['spec'] ?? {}) as { holderIdentity?: string; renewTime?: string };
    return holderIdentity && renewTime ? (nowMs - Date.parse(renewTime)) / 1000 : 'none';
  } catch (error) {
    if (isForbidden(error)) return 'unreadable';
    if (isNotFound(error)) return 'none';
    throw error;
  }
}

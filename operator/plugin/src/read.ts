// What the plugin reads of the API server. What the caller may not read is left out, not an error.
import { ApiError, chatClusters, isNotFound, leases, pathOf, podFacts, pods, type KubeObject, type KubeTransport } from '@parley/operator';
import type { Seen } from './diagnose.ts';

/** Where the operator is when nothing tells. */
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
  const [found, lease] = await Promise.all([
    transport.request<List>('GET', pathOf(pods, namespace), { query: { labelSelector } }).catch((error: unknown) => {
      if (isForbidden(error)) return undefined;
      throw error;
    }),
    readLease(transport, namespace, nowMs),
  ]);
  return {
    ...{ name, namespace, generation },
    ...lease,
    paused: (cluster['spec'] as { paused?: boolean } | undefined)?.paused === true,
    status: cluster['status'] ?? {},
    pods: found?.items.map(podFacts),
  };
}

/** Of the operator that renewed its Lease last: it may be installed in any namespace, that of the ChatCluster among them. */
async function readLease(
  transport: KubeTransport,
  namespace: string,
  nowMs: number,
): Promise<Pick<Seen, 'leaseAgeSeconds' | 'operatorNamespace'>> {
  const found = await findLeases(transport, namespace);
  if (found === undefined) return { leaseAgeSeconds: 'unreadable', operatorNamespace: OPERATOR_NAMESPACE };
  const held = found.flatMap(({ metadata, ...lease }) => {
    const { holderIdentity, renewTime } = (lease['spec'] ?? {}) as { holderIdentity?: string; renewTime?: string };
    if (!holderIdentity || !renewTime) return [];
    return [{ leaseAgeSeconds: (nowMs - Date.parse(renewTime)) / 1000, operatorNamespace: metadata.namespace ?? OPERATOR_NAMESPACE }];
  });
  held.sort((one, other) => one.leaseAgeSeconds - other.leaseAgeSeconds);
  return held[0] ?? { leaseAgeSeconds: 'none', operatorNamespace: OPERATOR_NAMESPACE };
}

/** undefined: none may be read. Who may not look into all namespaces looks into the two where an operator is likely. */
async function findLeases(transport: KubeTransport, namespace: string): Promise<KubeObject[] | undefined> {
  try {
    const query = { fieldSelector: `metadata.name=${LEASE}` };
    return (await transport.request<List>('GET', pathOf(leases), { query })).items;
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
  const places = [...new Set([namespace, OPERATOR_NAMESPACE])];
  const answers = await Promise.all(
    places.map((place) =>
      transport.request('GET', pathOf(leases, place, LEASE)).catch((error: unknown) => {
        if (isForbidden(error)) return undefined;
        if (isNotFound(error)) return 'none' as const;
        throw error;
      }),
    ),
  );
  const found = answers.filter((answer) => typeof answer === 'object');
  // A Lease in a place that may not be read could be the one: "none" is said only when all were read.
  return found.length === 0 && answers.includes(undefined) ? undefined : found;
}

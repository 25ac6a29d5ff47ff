// An operator that dies at one of its writes, and what has to be the same afterwards: for a crash at every point, in memory and on a
// real API server.
import { chatClusters, ownedResources, pathOf, secrets } from '../../operator/src/kube/resources.ts';
import { isNotFound, type KubeObject, type KubeTransport, type Method } from '../../operator/src/kube/transport.ts';
import { letVolumesBe } from './volumes.ts';

/** A StorageClass whose volumes may grow; the tests on a real API server make it. */
export const GROWING_CLASS = 'growing';

/** Everything that can come and go: the update moves the version, changes the entry, grows a volume and takes parts away. */
export const CREATED = { monitoring: { prometheus: 'builtin' }, mysql: { storage: { class: GROWING_CLASS } } };
export const UPDATED = {
  version: '0.2.0',
  ingress: { replicas: 3, service: { type: 'NodePort' }, allowedOrigins: ['https://chat.example.org'] },
  monitoring: { prometheus: 'none' },
  networkPolicy: { enabled: false },
  mysql: { storage: { class: GROWING_CLASS, size: '7Gi' } },
};

export interface Crash {
  /** which write, from 0 */
  write: number;
  /** before it reaches the API server, or before its answer comes back */
  when: 'before' | 'after';
}

export interface Mortal extends KubeTransport {
  /** those that count, in order; the one of the crash is the last */
  writes: string[];
  dead: boolean;
}

/** Events are a courtesy beside the work: they come when they come, and do not count. */
export const isCounted = (method: Method, path: string): boolean => method !== 'GET' && !path.includes('/events');

/** After the crash nothing goes out any more, and nothing comes back. */
export function mortal(kube: KubeTransport, crash?: Crash, counts: (path: string) => boolean = () => true): Mortal {
  const die = (): never => {
    self.dead = true;
    throw new Error('the process is dead');
  };
  const self: Mortal = {
    writes: [],
    dead: false,
    request: async <T>(method: Method, path: string, options?: object): Promise<T> => {
      if (self.dead) die();
      let last = false;
      if (isCounted(method, path) && counts(path)) last = self.writes.push(`${method} ${path}`) - 1 === crash?.write;
      if (last && crash?.when === 'before') die();
      // What else is under way dies with it.
      if (last) self.dead = true;
      const answer = await kube.request<T>(method, path, options);
      return self.dead ? die() : answer;
    },
    async *stream(path, query, signal) {
      for await (const line of kube.stream(path, query, signal)) {
        if (self.dead) die();
        yield line;
      }
    },
  };
  return self;
}

const list = async (kube: KubeTransport, path: string): Promise<KubeObject[]> => {
  const { items }: { items: KubeObject[] } = await kube.request('GET', path);
  return items.sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
};
const WHEN = '2026-01-01T00:00:00Z';

/** The part of the controllers of Kubernetes, once: everything that is there runs, every Job is done. */
export async function letRun(kube: KubeTransport, namespace: string): Promise<void> {
  await letVolumesBe(kube, namespace);
  for (const resource of ownedResources.filter(({ kind }) => ['StatefulSet', 'Deployment', 'Job'].includes(kind)))
    for (const { metadata, spec, status } of await list(kube, pathOf(resource, namespace))) {
      const { replicas = 1 } = (spec ?? {}) as { replicas?: number };
      const { generation, name } = metadata;
      const seen = (status ?? {}) as { observedGeneration?: number; readyReplicas?: number; succeeded?: number };
      const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', lastTransitionTime: WHEN }));
      const done =
        resource.kind === 'Job'
          ? { succeeded: 1, startTime: WHEN, completionTime: WHEN, conditions }
          : { replicas, readyReplicas: replicas, updatedReplicas: replicas, availableReplicas: replicas, observedGeneration: generation };
      const same =
        resource.kind === 'Job' ? seen.succeeded === 1 : seen.observedGeneration === generation && (seen.readyReplicas ?? 0) === replicas;
      if (same) continue;
      const contentType = 'application/merge-patch+json';
      await kube
        .request('PATCH', pathOf(resource, namespace, name, 'status'), { contentType, body: { status: done } })
        .catch((error: unknown) => {
          // Taken away in the meantime.
          if (!isNotFound(error)) throw error;
        });
    }
}

/** What differs from one run to the next. The hash of an apply covers the uid of the owner. */
const PASSING = new Set([
  ...['uid', 'resourceVersion', 'generation', 'observedGeneration', 'managedFields', 'creationTimestamp', 'lastTransitionTime'],
  ...['chat.parley.dev/applied-hash', 'clusterIP', 'clusterIPs', 'nodePort', 'namespace'],
]);
const stable = (value: unknown, passing: ReadonlySet<string>): unknown => {
  if (Array.isArray(value)) return value.map((item) => stable(item, passing));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => !passing.has(key));
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, child]) => [key, stable(child, passing)]));
};

/** All that is kept in a namespace, as text: equal runs leave equal texts. Of Secrets the names of their keys. */
export async function keptObjects(kube: KubeTransport, namespace: string, alsoPassing: string[] = []): Promise<string[]> {
  const kept: string[] = [];
  const passing = new Set([...PASSING, ...alsoPassing]);
  for (const resource of [chatClusters, ...ownedResources, secrets])
    for (const object of await list(kube, pathOf(resource, namespace))) {
      const data = resource === secrets ? { data: Object.keys(object['data'] ?? {}) } : {};
      const text = JSON.stringify(stable({ ...object, ...data }, passing))
        .replaceAll(namespace, 'NAMESPACE')
        // Dashboards are told apart by a hash of where their cluster is.
        .replaceAll(/(parley-\w+-)[0-9a-f]{12}/g, '$1HASH');
      kept.push(`${resource.kind} ${text.replaceAll(object.metadata.uid ?? '-', 'UID')}`);
    }
  return kept;
}

/** Secrets by name, with everything that a second writer would change. */
export async function keptSecrets(kube: KubeTransport, namespace: string): Promise<Record<string, unknown>> {
  const found = await list(kube, pathOf(secrets, namespace));
  return Object.fromEntries(found.map(({ metadata, ...rest }) => [metadata.name, [metadata.uid, metadata.resourceVersion, rest['data']]]));
}

/** Objects that are in one of two lists only, or not the same in both. */
export const differences = (found: readonly string[], expected: readonly string[]): string[] => [
  ...found.filter((one) => !expected.includes(one)).map((one) => `+ ${one}`),
  ...expected.filter((one) => !found.includes(one)).map((one) => `- ${one}`),
];

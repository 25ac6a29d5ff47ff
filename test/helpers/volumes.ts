// The part of the controllers of Kubernetes that has to do with volumes, once: claims of StatefulSets are made and bound, volumes are as large
// as was asked for, and what was deleted without its children is gone.
import { ownedResource, pathOf } from '../../operator/src/kube/resources.ts';
import { isNotFound, type KubeObject, type KubeTransport } from '../../operator/src/kube/transport.ts';

const claims = ownedResource('PersistentVolumeClaim');
const sets = ownedResource('StatefulSet');
const merge = { contentType: 'application/merge-patch+json' } as const;

interface SetSpec {
  replicas?: number;
  selector: { matchLabels: Record<string, string> };
  volumeClaimTemplates?: { metadata: { name: string; labels?: Record<string, string> }; spec: object }[];
}

const list = async (kube: KubeTransport, path: string): Promise<KubeObject[]> => {
  const { items }: { items: KubeObject[] } = await kube.request('GET', path);
  return items;
};
/** Taken away in the meantime. */
const leniently = (error: unknown): void => {
  if (!isNotFound(error)) throw error;
};

/** `bind`: whether this claim gets a volume, and a larger one when it asks for it. */
export async function letVolumesBe(kube: KubeTransport, namespace: string, bind: (claim: string) => boolean = () => true): Promise<void> {
  const there = await list(kube, pathOf(claims, namespace));
  const names = new Set(there.map(({ metadata }) => metadata.name));
  for (const { metadata, spec } of await list(kube, pathOf(sets, namespace))) {
    const finalizers = (metadata['finalizers'] as string[] | undefined) ?? [];
    if (metadata.deletionTimestamp && finalizers.includes('orphan')) {
      const body = { metadata: { finalizers: finalizers.filter((each) => each !== 'orphan') } };
      await kube.request('PATCH', pathOf(sets, namespace, metadata.name), { ...merge, body }).catch(leniently);
    }
    for (const body of claimsOf(metadata, spec as SetSpec).filter((claim) => !names.has(claim.metadata.name)))
      there.push(await kube.request('POST', pathOf(claims, namespace), { body }));
  }
  for (const claim of there) if (bind(claim.metadata.name)) await letBeBound(kube, namespace, claim);
}

/** As the controller of StatefulSets makes them. */
function claimsOf(
  { name: set, namespace }: KubeObject['metadata'],
  { replicas = 1, selector, volumeClaimTemplates = [] }: SetSpec,
): KubeObject[] {
  return volumeClaimTemplates.flatMap(({ metadata: { name, labels }, spec }) =>
    Array.from({ length: replicas }, (_, ordinal) => ({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec },
      metadata: { name: `${name}-${set}-${ordinal}`, ...(namespace ? { namespace } : {}), labels: { ...labels, ...selector.matchLabels } },
    })),
  );
}

async function letBeBound(kube: KubeTransport, namespace: string, { metadata, spec, status }: KubeObject): Promise<void> {
  const { volumeName, resources } = spec as { volumeName?: string; resources: { requests: { storage: string } } };
  const { phase, capacity } = (status ?? {}) as { phase?: string; capacity?: { storage?: string } };
  const { storage } = resources.requests;
  if (phase === 'Bound' && capacity?.storage === storage) return;
  const path = (subresource?: string) => pathOf(claims, namespace, metadata.name, subresource);
  if (!volumeName) await kube.request('PATCH', path(), { ...merge, body: { spec: { volumeName: `volume-${metadata.name}` } } });
  await kube.request('PATCH', path('status'), { ...merge, body: { status: { phase: 'Bound', capacity: { storage } } } }).catch(leniently);
}

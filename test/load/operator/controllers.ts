// Plays the controllers of a whole cluster on an API server that has none: every workload has its pods, everything runs and is ready.
import { ownedResource, pathOf, pods } from '../../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport } from '../../../operator/src/kube/transport.ts';

interface Workload {
  replicas?: number;
  template: { metadata: { labels: Record<string, string> }; spec: { volumes?: object[] } };
  volumeClaimTemplates?: { metadata: { name: string } }[];
}

const REVISION = 'r1';
const NOW = '2026-01-01T00:00:00Z';

/** `address` is what every pod says it has: somebody there answers for all of them. */
export class Controllers {
  readonly #admin: KubeTransport;
  readonly #address: string;
  readonly #done = new Set<string>();

  constructor(admin: KubeTransport, address: string) {
    this.#admin = admin;
    this.#address = address;
  }

  /** One look: brings up what is not up yet. */
  async look(namespace: string): Promise<void> {
    for (const kind of ['StatefulSet', 'Deployment', 'Job'] as const) {
      const { items } = await this.#admin.request<{ items: KubeObject[] }>('GET', pathOf(ownedResource(kind), namespace));
      for (const object of items) {
        const version = `${object.metadata.uid} ${object.metadata.generation}`;
        if (this.#done.has(version)) continue;
        await this.#bringUp(kind, object);
        this.#done.add(version);
      }
    }
  }

  async #bringUp(kind: 'StatefulSet' | 'Deployment' | 'Job', { metadata, spec }: KubeObject): Promise<void> {
    const { replicas = 1, template, volumeClaimTemplates = [] } = spec as Workload;
    const { namespace = '', name } = metadata;
    const claims = volumeClaimTemplates.map((claim) => ({ name: claim.metadata.name, emptyDir: {} }));
    const { volumes = [] } = template.spec;
    const withClaims = { ...template, spec: { ...template.spec, volumes: [...volumes, ...claims] } };
    if (kind !== 'Job') for (let ordinal = 0; ordinal < replicas; ordinal++) await this.#pod(namespace, `${name}-${ordinal}`, withClaims);
    const count = { replicas, readyReplicas: replicas, updatedReplicas: replicas, availableReplicas: replicas };
    const status =
      kind === 'Job'
        ? {
            ...{ succeeded: 1, startTime: NOW, completionTime: NOW },
            conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', lastTransitionTime: NOW })),
          }
        : { ...count, observedGeneration: metadata.generation, ...(kind === 'StatefulSet' ? { updateRevision: REVISION } : {}) };
    await this.#status(pathOf(ownedResource(kind), namespace, name, 'status'), status);
  }

  async #pod(namespace: string, name: string, { metadata, spec }: Workload['template']): Promise<void> {
    const labels = { ...metadata.labels, 'controller-revision-hash': REVISION };
    await this.#admin.request('POST', pathOf(pods, namespace), {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, labels }, spec },
    });
    await this.#status(pathOf(pods, namespace, name, 'status'), {
      phase: 'Running',
      podIP: this.#address,
      podIPs: [{ ip: this.#address }],
      conditions: [{ type: 'Ready', status: 'True' }],
    });
  }

  #status(path: string, status: object): Promise<unknown> {
    return this.#admin.request('PATCH', path, { contentType: 'application/merge-patch+json', body: { status } });
  }
}

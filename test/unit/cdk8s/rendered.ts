// What the unit tests of the manifests look at: every sample rendered, and a typed view of the pods in it.
import { parseChatCluster } from '@parley/operator-api';
import { desired, resolve, sampleResource, samples, type KubeObject, type Plan, type Sample } from '@parley/cdk8s';

export const VERSION = '0.1.0';

export interface Container {
  name: string;
  image: string;
  imagePullPolicy: string;
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
  ports?: { name: string; containerPort: number }[];
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: { allowPrivilegeEscalation: boolean; readOnlyRootFilesystem: boolean; capabilities: { drop: string[] } };
  volumeMounts?: { name: string; mountPath: string }[];
  readinessProbe?: object;
}

export interface PodSpec {
  automountServiceAccountToken?: boolean;
  enableServiceLinks: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: { runAsNonRoot: boolean; runAsUser: number; fsGroup: number; seccompProfile: { type: string } };
  containers: Container[];
  initContainers?: Container[];
  volumes?: { name: string; secret?: { secretName: string; items: { key: string }[] } }[];
}

export interface Workload {
  object: KubeObject;
  replicas: number | undefined;
  selector: Record<string, string> | undefined;
  podLabels: Record<string, string>;
  pod: PodSpec;
}

export function planOf(spec: object, { name = 'demo', namespace = 'team' } = {}): Plan {
  const parsed = parseChatCluster({ metadata: { name, namespace, uid: 'u', generation: 1 }, spec });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return resolve(parsed.cluster, { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' });
}

export const objectsOf = (spec: object, migrated = true): KubeObject[] => desired(planOf(spec), { migrated });

/** Every sample with the objects it becomes. */
export function renderedSamples(): { sample: Sample; objects: KubeObject[] }[] {
  return samples(VERSION).map((sample) => ({
    sample,
    objects: desired(planOf(sampleResource(sample).spec, { name: sample.name }), { migrated: true }),
  }));
}

export function workloads(objects: readonly KubeObject[]): Workload[] {
  return objects
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind))
    .map((object) => {
      const own = object['spec'] as { jobTemplate?: { spec: unknown } };
      const spec = (own.jobTemplate?.spec ?? own) as {
        replicas?: number;
        selector?: { matchLabels: Record<string, string> };
        template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
      };
      const { template, replicas, selector } = spec;
      return { object, replicas, selector: selector?.matchLabels, podLabels: template.metadata.labels, pod: template.spec };
    });
}

export function find(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name} among ${objects.map((object) => `${object.kind}/${object.metadata.name}`).join(', ')}`);
  return found;
}

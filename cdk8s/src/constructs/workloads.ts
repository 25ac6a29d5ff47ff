// StatefulSets, Deployments, Services and disruption budgets with names, labels and selectors of our own.
import { Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { clusterLabels, labelsOf, nameOf, selectorOf, type Component } from '../names.ts';
import type { Plan } from '../plan.ts';
import type { Placement } from './pod.ts';

/** A chart of one component: explicit names, the cluster's labels on every object. */
export class ComponentChart extends Chart {
  readonly plan: Plan;
  readonly component: Component;
  constructor(scope: Construct, plan: Plan, component: Component) {
    super(scope, component, { namespace: plan.namespace, disableResourceNameHashes: true, labels: clusterLabels(plan.cluster) });
    this.plan = plan;
    this.component = component;
  }
  get selector(): Record<string, string> {
    return selectorOf(this.plan.cluster, this.component);
  }
  get objectLabels(): Record<string, string> {
    return labelsOf(this.plan.cluster, this.component);
  }
  /** What the spec says about where pods of this part run. */
  get placement(): Placement & { podAnnotations?: Record<string, string> } {
    const { spec } = this.plan;
    if (this.component === 'haproxy') return spec.ingress;
    if (this.component === 'migrate') return spec.core;
    if (this.component === 'canary') return spec.monitoring.canary;
    return this.component === 'prometheus' || this.component === 'backup' || this.component === 'monitoring' ? {} : spec[this.component];
  }
  name(part: string = this.component): string {
    return nameOf(this.plan.cluster, part);
  }
  metadata(part: string = this.component, annotations?: Record<string, string>): k8s.ObjectMeta {
    return { name: this.name(part), labels: this.objectLabels, ...(annotations ? { annotations } : {}) };
  }

  #template(pod: k8s.PodSpec, own: Record<string, string> = {}): k8s.PodTemplateSpec {
    const annotations = { ...this.placement.podAnnotations, ...own };
    return { metadata: { labels: this.objectLabels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) }, spec: pod };
  }

  deployment(
    replicas: number,
    pod: k8s.PodSpec,
    { annotations, rollout }: { annotations?: Record<string, string>; rollout?: k8s.RollingUpdateDeployment } = {},
  ): void {
    new k8s.KubeDeployment(this, 'deployment', {
      metadata: this.metadata(),
      spec: {
        replicas,
        selector: { matchLabels: this.selector },
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: rollout ?? { maxUnavailable: k8s.IntOrString.fromNumber(0), maxSurge: k8s.IntOrString.fromNumber(1) },
        },
        template: this.#template(pod, annotations),
      },
    });
  }

  statefulSet(replicas: number, pod: k8s.PodSpec, { storage, replacedBy = 'controller' }: StatefulSettings = {}): void {
    new k8s.KubeStatefulSet(this, 'statefulset', {
      metadata: this.metadata(),
      spec: {
        replicas,
        serviceName: this.name(),
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: replacedBy === 'operator' ? 'OnDelete' : 'RollingUpdate' },
        selector: { matchLabels: this.selector },
        template: this.#template(pod),
        ...(storage
          ? {
              persistentVolumeClaimRetentionPolicy: { whenDeleted: storage.whenDeleted, whenScaled: 'Retain' },
              volumeClaimTemplates: [
                {
                  metadata: { name: 'data', labels: this.selector },
                  spec: {
                    accessModes: ['ReadWriteOnce'],
                    resources: { requests: { storage: k8s.Quantity.fromString(storage.size) } },
                    ...(storage.class ? { storageClassName: storage.class } : {}),
                  },
                },
              ],
            }
          : {}),
      },
    });
  }

  service(
    servicePorts: Record<string, number>,
    { part, headless = false, publishNotReady = false, type, annotations, externalTrafficPolicy }: ServiceSettings = {},
  ): void {
    new k8s.KubeService(this, `service-${part ?? this.component}`, {
      metadata: this.metadata(part, annotations),
      spec: {
        selector: this.selector,
        ports: Object.entries(servicePorts).map(([name, port]) => ({
          name,
          port,
          targetPort: k8s.IntOrString.fromNumber(port),
          protocol: 'TCP',
        })),
        ...(headless ? { clusterIp: 'None' } : { type: type ?? 'ClusterIP' }),
        ...(externalTrafficPolicy ? { externalTrafficPolicy } : {}),
        ...(publishNotReady ? { publishNotReadyAddresses: true } : {}),
      },
    });
  }

  disruptionBudget(): void {
    new k8s.KubePodDisruptionBudget(this, 'pdb', {
      metadata: this.metadata(),
      spec: { maxUnavailable: k8s.IntOrString.fromNumber(1), selector: { matchLabels: this.selector } },
    });
  }
}

interface StatefulSettings {
  storage?: { size: string; class?: string; whenDeleted: 'Retain' | 'Delete' };
  /** who deletes a pod of an older revision */
  replacedBy?: 'controller' | 'operator';
}

interface ServiceSettings {
  part?: string;
  headless?: boolean;
  publishNotReady?: boolean;
  type?: string;
  annotations?: Record<string, string>;
  externalTrafficPolicy?: string;
}

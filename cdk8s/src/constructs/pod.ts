// Pods and containers as every component gets them: restricted Pod Security, small requests, explicit probes, no service links.
// The defaults of cdk8s-plus (1 CPU, Always pull, hash names) are avoided by writing the L1 objects.
import { k8s } from 'cdk8s-plus-27';
import type { Plan } from '../plan.ts';

export interface ResourceSettings {
  requests?: Record<string, string | undefined>;
  limits?: Record<string, string | undefined>;
}

/** As every part of the spec takes it. */
export interface Placement {
  nodeSelector?: Record<string, string>;
  tolerations?: k8s.Toleration[];
  affinity?: Record<string, unknown>;
  priorityClassName?: string;
  topologySpread?: { topologyKey: string; maxSkew: number; whenUnsatisfiable: 'ScheduleAnyway' | 'DoNotSchedule' };
}

export interface ContainerSettings {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: k8s.EnvVar[];
  ports?: Record<string, number>;
  mounts?: k8s.VolumeMount[];
  probes?: { startup?: k8s.Probe; readiness?: k8s.Probe; liveness?: k8s.Probe };
  /** run before the container is told to end */
  preStop?: string[];
  /** instead of those of the part */
  resources?: ResourceSettings;
}

export interface PodSettings {
  plan: Plan;
  /** user and group of the image */
  uid: number;
  containers: ContainerSettings[];
  /** one after the other, before the containers */
  initContainers?: ContainerSettings[];
  resources: ResourceSettings;
  placement?: Placement;
  volumes?: k8s.Volume[];
  graceSeconds?: number;
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  /** labels by which replicas are spread over nodes */
  spread?: Record<string, string>;
}

export const quantities = (values: Record<string, string | undefined> = {}) =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, k8s.Quantity.fromString(value)]])),
  ) as Record<string, k8s.Quantity>;

export function podSpec({
  plan,
  uid,
  containers,
  initContainers,
  resources,
  placement = {},
  volumes,
  graceSeconds = 30,
  restartPolicy,
  spread,
}: PodSettings): k8s.PodSpec {
  const { pullPolicy, pullSecrets } = plan.spec.images;
  return {
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: graceSeconds,
    ...(restartPolicy ? { restartPolicy } : {}),
    securityContext: { runAsNonRoot: true, runAsUser: uid, runAsGroup: uid, fsGroup: uid, seccompProfile: { type: 'RuntimeDefault' } },
    ...(pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets } : {}),
    ...(placement.nodeSelector ? { nodeSelector: placement.nodeSelector } : {}),
    ...(placement.tolerations ? { tolerations: placement.tolerations } : {}),
    ...(placement.affinity ? { affinity: placement.affinity } : {}),
    ...(placement.priorityClassName ? { priorityClassName: placement.priorityClassName } : {}),
    ...(spread && placement.topologySpread
      ? { topologySpreadConstraints: [{ ...placement.topologySpread, labelSelector: { matchLabels: spread } }] }
      : {}),
    ...(initContainers ? { initContainers: initContainers.map((container) => containerSpec(container, pullPolicy, resources)) } : {}),
    containers: containers.map((container) => containerSpec(container, pullPolicy, resources)),
    ...(volumes && volumes.length > 0 ? { volumes } : {}),
  };
}

function containerSpec(
  { name, image, command, args, env, ports, mounts, probes, preStop, resources: own }: ContainerSettings,
  imagePullPolicy: string,
  resources: ResourceSettings,
): k8s.Container {
  return {
    name,
    image,
    imagePullPolicy,
    ...(command ? { command } : {}),
    ...(args ? { args } : {}),
    ...(env ? { env } : {}),
    ...(ports ? { ports: Object.entries(ports).map(([portName, containerPort]) => ({ name: portName, containerPort })) } : {}),
    ...(mounts ? { volumeMounts: mounts } : {}),
    resources: { requests: quantities((own ?? resources).requests), limits: quantities((own ?? resources).limits) },
    // The last lines of the log tell why a container ended; the operator puts them into the status.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ...(preStop ? { lifecycle: { preStop: { exec: { command: preStop } } } } : {}),
    ...(probes?.startup ? { startupProbe: probes.startup } : {}),
    ...(probes?.readiness ? { readinessProbe: probes.readiness } : {}),
    ...(probes?.liveness ? { livenessProbe: probes.liveness } : {}),
  };
}

export const httpProbe = (path: string, port: number, more: Partial<k8s.Probe> = {}): k8s.Probe => ({
  httpGet: { path, port: k8s.IntOrString.fromNumber(port) },
  periodSeconds: 5,
  timeoutSeconds: 3,
  ...more,
});
export const tcpProbe = (port: number, more: Partial<k8s.Probe> = {}): k8s.Probe => ({
  tcpSocket: { port: k8s.IntOrString.fromNumber(port) },
  periodSeconds: 5,
  timeoutSeconds: 3,
  ...more,
});
export const execProbe = (command: string[], more: Partial<k8s.Probe> = {}): k8s.Probe => ({
  exec: { command },
  periodSeconds: 5,
  timeoutSeconds: 5,
  ...more,
});

export const emptyDir = (name: string): k8s.Volume => ({ name, emptyDir: {} });
/** Only the named keys of a Secret, as files. */
export const secretVolume = (name: string, secretName: string, items: Record<string, string>): k8s.Volume => ({
  name,
  secret: { secretName, defaultMode: 0o440, items: Object.entries(items).map(([key, path]) => ({ key, path })) },
});
export const fromSecret = (name: string, secret: string, key: string): k8s.EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

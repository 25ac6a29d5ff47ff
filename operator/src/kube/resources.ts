// Where each kind lives in the API.
import { DRILL_KIND, DRILL_PLURAL, GROUP, PLURAL, STRIMZI_API, VERSION } from '@parley/operator-api';
import { keyOf } from './store.ts';
import type { KubeObject } from './transport.ts';

export interface Resource {
  kind: string;
  /** `api/v1` or `apis/<group>/<version>` */
  prefix: string;
  plural: string;
}

const resource = (prefix: string, kind: string, plural: string): Resource => ({ kind, prefix, plural });

/** ChatClusters in the API. */
export const chatClusters = resource(`apis/${GROUP}/${VERSION}`, 'ChatCluster', PLURAL);
/** ChatDrills in the API. */
export const chatDrills = resource(`apis/${GROUP}/${VERSION}`, DRILL_KIND, DRILL_PLURAL);
/** Not in a namespace. */
export const crds = resource('apis/apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions');
/** Leases in the API: who leads. */
export const leases = resource('apis/coordination.k8s.io/v1', 'Lease', 'leases');
export const events = resource('apis/events.k8s.io/v1', 'Event', 'events');
export const secrets = resource('api/v1', 'Secret', 'secrets');
/** Pods in the API. */
export const pods = resource('api/v1', 'Pod', 'pods');

/** Kinds that the operator makes, watches and prunes. */
export const ownedResources: readonly Resource[] = [
  resource('api/v1', 'ConfigMap', 'configmaps'),
  resource('api/v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  resource('api/v1', 'Service', 'services'),
  resource('apis/apps/v1', 'Deployment', 'deployments'),
  resource('apis/apps/v1', 'StatefulSet', 'statefulsets'),
  resource('apis/autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  resource('apis/batch/v1', 'CronJob', 'cronjobs'),
  resource('apis/batch/v1', 'Job', 'jobs'),
  resource('apis/networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  resource('apis/policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
];

/** Made and watched where a ChatCluster asks for mode strimzi; the API server serves them once Strimzi is installed. Never pruned: they hold data. */
export const strimziResources: readonly Resource[] = [
  resource(`apis/${STRIMZI_API}`, 'Kafka', 'kafkas'),
  resource(`apis/${STRIMZI_API}`, 'KafkaNodePool', 'kafkanodepools'),
];

/** Of prometheus-operator: not every API server knows them. All of one group and version. */
export const optionalResources: readonly Resource[] = [
  resource('apis/monitoring.coreos.com/v1', 'PodMonitor', 'podmonitors'),
  resource('apis/monitoring.coreos.com/v1', 'PrometheusRule', 'prometheusrules'),
];

/** Holds data: made once, from then on only its size may grow, never pruned, and not owned, so that it outlives the ChatCluster. */
export const isKeptVolume = ({ kind }: { kind: string }): boolean => kind === 'PersistentVolumeClaim';

/** The ChatCluster, as `namespace/name`, that an object is labelled with. */
export function clusterOf({ metadata: { namespace = '', labels } }: KubeObject): string | undefined {
  const name = labels?.['app.kubernetes.io/instance'];
  return name === undefined ? undefined : keyOf({ namespace, name });
}

const byKind = new Map([...ownedResources, ...strimziResources, ...optionalResources].map((owned) => [owned.kind, owned]));

/** Throws for a kind that is not in the list: rights and watches go by it. */
export function ownedResource(kind: string): Resource {
  const found = byKind.get(kind);
  if (!found) throw new Error(`${kind} is not a kind that the operator owns`);
  return found;
}

/** Path of a collection (all namespaces without `namespace`) or of one object, and of its subresource. */
export function pathOf({ prefix, plural }: Resource, namespace?: string, name?: string, subresource?: string): string {
  return [
    '',
    prefix,
    ...(namespace ? ['namespaces', namespace] : []),
    plural,
    ...(name ? [name] : []),
    ...(subresource ? [subresource] : []),
  ].join('/');
}

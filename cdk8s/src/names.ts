// Names and labels of everything a ChatCluster consists of. They are an interface: people and dashboards rely on them.

/** Value of `app.kubernetes.io/managed-by` on everything that the operator makes. */
export const MANAGED_BY = 'parley-operator';
/** Name of the operator's own objects. */
export const OPERATOR = 'parley-operator';

/** The parts of a cluster, as `app.kubernetes.io/component` names them. */
export type Component =
  | 'chat'
  | 'core'
  | 'auth'
  | 'gateway'
  | 'worker'
  | 'haproxy'
  | 'redis'
  | 'kafka'
  | 'mysql'
  | 'postgres'
  | 'migrate'
  | 'backup'
  | 'prometheus'
  | 'monitoring'
  | 'canary';

/** `<cluster>-<part>` */
export const nameOf = (cluster: string, part: string): string => `${cluster}-${part}`;

/** Labels that select the pods of one component. Part of immutable selectors: never change them. */
export const selectorOf = (cluster: string, component: Component): Record<string, string> => ({
  'app.kubernetes.io/name': 'parley',
  'app.kubernetes.io/instance': cluster,
  'app.kubernetes.io/component': component,
});

/** Labels of every object of a cluster; the operator's watches and prunes go by them. */
export const clusterLabels = (cluster: string): Record<string, string> => ({
  'app.kubernetes.io/name': 'parley',
  'app.kubernetes.io/instance': cluster,
  'app.kubernetes.io/managed-by': MANAGED_BY,
});

/** The labels by which the objects of one part of one cluster are found. */
export const labelsOf = (cluster: string, component: Component): Record<string, string> => ({
  ...clusterLabels(cluster),
  'app.kubernetes.io/component': component,
});

// The operator itself as static objects: namespace, rights, Deployment. charts/install.yaml, charts/install-namespaced.yaml and the Helm
// chart are all written from here.
import { App, Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { httpProbe, quantities, type ResourceSettings } from '../constructs/pod.ts';
import type { KubeObject } from '../desired.ts';
import { OPERATOR } from '../names.ts';
import { ports } from '../plan.ts';
import { confirmDelete } from './policy.ts';
import { CLUSTER_RULES, CRD_RULES, LEASE_RULES, type Rule } from './rules.ts';

/** Where the operator is installed unless told otherwise. */
export const OPERATOR_NAMESPACE = 'parley-system';
/** The role for the ChatClusters of one namespace; the Lease's role may lie beside it. */
const CLUSTERS_ROLE = `${OPERATOR}-clusters`;
const RBAC = 'rbac.authorization.k8s.io';
const NODE_UID = 1000;

const LABELS = { 'app.kubernetes.io/name': OPERATOR, 'app.kubernetes.io/part-of': 'parley' };
const SELECTOR = { 'app.kubernetes.io/name': OPERATOR };
interface Name {
  name: string;
  namespace: string;
}
const copy = <T extends object>(items: readonly T[]): T[] => items.map((item) => ({ ...item }));

/** How the operator is installed: for all namespaces or for one, with which image. */
export interface OperatorOptions {
  /** Where the operator itself is. */
  namespace: string;
  /** The one namespace whose ChatClusters it looks after, with rights for just that; empty: all, with rights for the whole cluster. */
  watchNamespace: string;
  /** Where the image `operator` is. */
  registry: string;
  tag: string;
  pullPolicy: string;
  /** One leads, another takes over within the lease's 15 seconds. */
  replicas: number;
  logLevel: string;
  clusterDomain: string;
  resources: ResourceSettings;
}

export function operatorDefaults(version: string): OperatorOptions {
  return {
    namespace: OPERATOR_NAMESPACE,
    watchNamespace: '',
    registry: 'docker.io/parley',
    tag: version,
    pullPolicy: 'IfNotPresent',
    replicas: 2,
    logLevel: 'info',
    clusterDomain: 'cluster.local',
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '384Mi' } },
  };
}

/** One namespace for the operator and its ChatClusters: charts/install-namespaced.yaml. */
export const NAMESPACED = { namespace: 'parley', watchNamespace: 'parley' };

/** All objects but the CRD, in the order in which they must be applied. Pure. `version` is told in the labels. */
export function operatorObjects(version: string, options: Partial<OperatorOptions> = {}): KubeObject[] {
  return new OperatorChart(new App(), version, { ...operatorDefaults(version), ...options }).toJson() as KubeObject[];
}

class OperatorChart extends Chart {
  constructor(scope: Construct, version: string, options: OperatorOptions) {
    const versioned = { ...LABELS, 'app.kubernetes.io/version': version };
    super(scope, 'operator', { disableResourceNameHashes: true, labels: versioned });
    const { namespace, watchNamespace, replicas } = options;
    new k8s.KubeNamespace(this, 'namespace', {
      metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const metadata = { name: OPERATOR, namespace };
    new k8s.KubeServiceAccount(this, 'account', { metadata });
    if (watchNamespace)
      this.#role('clusters', { name: CLUSTERS_ROLE, namespace: watchNamespace }, { rules: CLUSTER_RULES, account: metadata });
    else {
      this.#clusterRole(metadata);
      // No right within a namespace covers an object that is in none.
      confirmDelete(this);
    }
    this.#role('lease', metadata, { rules: LEASE_RULES, account: metadata });
    new k8s.KubeService(this, 'service', {
      metadata,
      // Headless: Prometheus finds every replica by DNS.
      spec: { clusterIp: 'None', selector: SELECTOR, ports: [{ name: 'admin', port: ports.admin, protocol: 'TCP' }] },
    });
    new k8s.KubeDeployment(this, 'deployment', {
      metadata,
      spec: {
        replicas,
        selector: { matchLabels: SELECTOR },
        template: { metadata: { labels: versioned }, spec: operatorPod(options) },
      },
    });
    new k8s.KubePodDisruptionBudget(this, 'pdb', {
      metadata,
      spec: { maxUnavailable: k8s.IntOrString.fromNumber(1), selector: { matchLabels: SELECTOR } },
    });
  }

  #clusterRole(account: Name): void {
    new k8s.KubeClusterRole(this, 'cluster-role', { metadata: { name: OPERATOR }, rules: copy([...CRD_RULES, ...CLUSTER_RULES]) });
    new k8s.KubeClusterRoleBinding(this, 'cluster-role-binding', {
      metadata: { name: OPERATOR },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: OPERATOR },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    });
  }

  #role(id: string, metadata: Name, { rules, account }: { rules: readonly Rule[]; account: Name }): void {
    new k8s.KubeRole(this, `${id}-role`, { metadata, rules: copy(rules) });
    new k8s.KubeRoleBinding(this, `${id}-role-binding`, {
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    });
  }
}

function operatorPod(options: OperatorOptions): k8s.PodSpec {
  const { registry, tag, pullPolicy, watchNamespace, logLevel, clusterDomain, resources } = options;
  const field = (name: string, fieldPath: string): k8s.EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    serviceAccountName: OPERATOR,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NODE_UID,
      runAsGroup: NODE_UID,
      fsGroup: NODE_UID,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: SELECTOR } },
    ],
    containers: [
      {
        name: 'operator',
        image: `${registry}/operator:${tag}`,
        imagePullPolicy: pullPolicy,
        command: ['node', '--optimize-for-size', 'operator/dist/main.js'],
        env: [
          // Empty: all namespaces.
          { name: 'WATCH_NAMESPACE', value: watchNamespace },
          { name: 'LOG_LEVEL', value: logLevel },
          { name: 'ADMIN_PORT', value: String(ports.admin) },
          { name: 'CLUSTER_DOMAIN', value: clusterDomain },
          field('POD_NAME', 'metadata.name'),
          field('POD_NAMESPACE', 'metadata.namespace'),
        ],
        ports: [{ name: 'admin', containerPort: ports.admin }],
        resources: {
          requests: quantities(resources.requests),
          limits: quantities(resources.limits),
        },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        startupProbe: httpProbe('/healthz', ports.admin, { periodSeconds: 2, failureThreshold: 60 }),
        readinessProbe: httpProbe('/readyz', ports.admin),
        livenessProbe: httpProbe('/healthz', ports.admin, { periodSeconds: 10, failureThreshold: 3 }),
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  };
}

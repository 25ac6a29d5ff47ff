// The operator itself as static objects: namespace, rights, Deployment. Applied once by `kubectl apply -f charts/install.yaml`.
import { App, Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { httpProbe } from '../constructs/pod.ts';
import type { KubeObject } from '../desired.ts';
import { ports } from '../plan.ts';
import { CLUSTER_RULES, LEASE_RULES } from './rules.ts';

export const OPERATOR = 'parley-operator';
export const OPERATOR_NAMESPACE = 'parley-system';
const NODE_UID = 1000;
const REGISTRY = 'docker.io/parley';

const LABELS = { 'app.kubernetes.io/name': OPERATOR, 'app.kubernetes.io/part-of': 'parley' };
const SELECTOR = { 'app.kubernetes.io/name': OPERATOR };
const copy = <T extends object>(items: readonly T[]): T[] => items.map((item) => ({ ...item }));

/** All objects but the CRD, in the order in which they must be applied. Pure. */
export function operatorObjects(version: string): KubeObject[] {
  return new OperatorChart(new App(), version).toJson() as KubeObject[];
}

class OperatorChart extends Chart {
  constructor(scope: Construct, version: string) {
    super(scope, 'operator', { disableResourceNameHashes: true, labels: { ...LABELS, 'app.kubernetes.io/version': version } });
    new k8s.KubeNamespace(this, 'namespace', {
      metadata: { name: OPERATOR_NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const metadata = { name: OPERATOR, namespace: OPERATOR_NAMESPACE };
    new k8s.KubeServiceAccount(this, 'account', { metadata });
    this.#rights(metadata);
    new k8s.KubeService(this, 'service', {
      metadata,
      // Headless: Prometheus finds every replica by DNS.
      spec: { clusterIp: 'None', selector: SELECTOR, ports: [{ name: 'admin', port: ports.admin, protocol: 'TCP' }] },
    });
    new k8s.KubeDeployment(this, 'deployment', {
      metadata,
      spec: {
        // One leads, the other takes over within the lease's 15 seconds.
        replicas: 2,
        selector: { matchLabels: SELECTOR },
        template: { metadata: { labels: { ...LABELS, 'app.kubernetes.io/version': version } }, spec: operatorPod(version) },
      },
    });
    new k8s.KubePodDisruptionBudget(this, 'pdb', {
      metadata,
      spec: { maxUnavailable: k8s.IntOrString.fromNumber(1), selector: { matchLabels: SELECTOR } },
    });
  }

  #rights(metadata: { name: string; namespace: string }): void {
    const subjects = [{ kind: 'ServiceAccount', ...metadata }];
    const group = 'rbac.authorization.k8s.io';
    new k8s.KubeClusterRole(this, 'cluster-role', { metadata: { name: OPERATOR }, rules: copy(CLUSTER_RULES) });
    new k8s.KubeClusterRoleBinding(this, 'cluster-role-binding', {
      metadata: { name: OPERATOR },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: OPERATOR },
      subjects,
    });
    new k8s.KubeRole(this, 'role', { metadata, rules: copy(LEASE_RULES) });
    new k8s.KubeRoleBinding(this, 'role-binding', { metadata, roleRef: { apiGroup: group, kind: 'Role', name: OPERATOR }, subjects });
  }
}

function operatorPod(version: string): k8s.PodSpec {
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
        image: `${REGISTRY}/operator:${version}`,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '--enable-source-maps', 'operator/dist/main.js'],
        env: [
          // Empty: all namespaces.
          { name: 'WATCH_NAMESPACE', value: '' },
          { name: 'LOG_LEVEL', value: 'info' },
          { name: 'ADMIN_PORT', value: String(ports.admin) },
          { name: 'CLUSTER_DOMAIN', value: 'cluster.local' },
          field('POD_NAME', 'metadata.name'),
          field('POD_NAMESPACE', 'metadata.namespace'),
        ],
        ports: [{ name: 'admin', containerPort: ports.admin }],
        resources: {
          requests: { cpu: k8s.Quantity.fromString('50m'), memory: k8s.Quantity.fromString('128Mi') },
          limits: { memory: k8s.Quantity.fromString('384Mi') },
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

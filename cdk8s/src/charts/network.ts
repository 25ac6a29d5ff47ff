// NetworkPolicies: default deny, then each port only from who needs it. One table of edges makes both directions.
import { k8s } from 'cdk8s-plus-27';
import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { hasCanary } from './canary.ts';
import { clusterLabels, nameOf, selectorOf, type Component } from '../names.ts';
import { backedUp, hasSentinels, ports, type Plan } from '../plan.ts';

type Peer = Component | 'anywhere' | 'internet' | 'operator' | 'scraper' | 'strimzi';
interface Edge {
  from: Peer;
  to: Peer;
  ports: number[];
}

/** What webhooks may reach: the worker refuses private addresses as well, but two locks are better than one. */
const INTERNET: k8s.NetworkPolicyPeer[] = [
  {
    ipBlock: {
      cidr: '0.0.0.0/0',
      except: ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
    },
  },
  { ipBlock: { cidr: '::/0', except: ['fc00::/7', 'fe80::/10'] } },
];

const REDIS_PORTS = [ports.redis, ports.sentinel];
const KAFKA_PORTS = [ports.kafka, 9093, 9094];
const services = ['chat', 'core', 'auth', 'gateway', 'worker'] as const;

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** What the spec names outside, which may be private: key sets of issuers, the receiver of notifications, the collector of traces, S3. */
function outside({ spec }: Plan): Edge[] {
  const { notifications } = spec.worker;
  const { tracing } = spec.monitoring;
  const bucket = spec.backup?.s3;
  const keySets = [...new Set(spec.auth.issuers.flatMap(({ jwksUrl }) => (jwksUrl ? [portOf(jwksUrl)] : [])))];
  const verifiers = keySets.length > 0 ? (['chat', 'core', 'gateway'] as const) : [];
  return [
    ...verifiers.map((from): Edge => ({ from, to: 'anywhere', ports: keySets })),
    ...(notifications ? [{ from: 'worker' as const, to: 'anywhere' as const, ports: [portOf(notifications.url)] }] : []),
    ...(tracing ? services.map((from): Edge => ({ from, to: 'anywhere', ports: [portOf(tracing.endpoint)] })) : []),
    ...(bucket ? [{ from: 'backup' as const, to: 'anywhere' as const, ports: [portOf(bucket.endpoint ?? 'https://aws')] }] : []),
  ];
}

/** Who talks to whom. Kubelet probes and port-forwards come from the node and are not subject to policies. */
function edges(plan: Plan): Edge[] {
  const { spec } = plan;
  const canary: Component[] = hasCanary(plan) ? ['canary'] : [];
  const database = (server: 'mysql' | 'postgres', users: Component[]): Edge[] =>
    users.map((from) => (spec[server].mode === 'builtin' ? { from, to: server, ports: [ports[server]] } : { from, to: 'anywhere', ports: [] }));
  const kafka: Edge[] =
    spec.kafka.mode === 'builtin'
      ? [
          { from: 'worker', to: 'kafka', ports: [ports.kafka] },
          { from: 'kafka', to: 'kafka', ports: KAFKA_PORTS },
        ]
      : spec.kafka.mode === 'external'
        ? [{ from: 'worker', to: 'anywhere', ports: [] }]
        : spec.kafka.mode === 'strimzi'
          ? [{ from: 'worker', to: 'strimzi', ports: [ports.kafka] }]
          : [];
  const backup = backedUp(plan).map((server): Edge => ({ from: 'backup', to: server, ports: [ports[server]] }));
  const prometheus: Edge[] =
    spec.monitoring.prometheus === 'builtin'
      ? [
          ...[...services, ...canary].map((to): Edge => ({ from: 'prometheus', to, ports: [ports.admin] })),
          { from: 'prometheus', to: 'haproxy', ports: [ports.stats, ...(spec.ingress.tls ? [ports.admin] : [])] },
          { from: 'prometheus', to: 'operator', ports: [ports.admin] },
        ]
      : [];
  // A Prometheus that is not ours.
  const scraper: Edge[] =
    spec.monitoring.podMonitor === 'never'
      ? []
      : [
          ...[...services, ...canary].map((to): Edge => ({ from: 'scraper', to, ports: [ports.admin] })),
          { from: 'scraper', to: 'haproxy', ports: [ports.stats, ...(spec.ingress.tls ? [ports.admin] : [])] },
        ];
  return [
    { from: 'anywhere', to: 'haproxy', ports: [ports.gateway, ports.chatEntry] },
    { from: 'haproxy', to: 'chat', ports: [ports.chat, ports.admin] },
    { from: 'haproxy', to: 'core', ports: [ports.core, ports.admin] },
    { from: 'haproxy', to: 'gateway', ports: [ports.gateway, ports.admin] },
    { from: 'gateway', to: 'auth', ports: [ports.auth] },
    { from: 'gateway', to: 'core', ports: [ports.core] },
    { from: 'gateway', to: 'worker', ports: [ports.worker] },
    { from: 'worker', to: spec.worker.webhooks.allowPrivate ? 'anywhere' : 'internet', ports: [] },
    ...outside(plan),
    { from: 'chat', to: 'auth', ports: [ports.auth] },
    { from: 'core', to: 'auth', ports: [ports.auth] },
    ...[...services, ...canary].map((to): Edge => ({ from: 'operator', to, ports: [ports.admin] })),
    ...canary.flatMap((from): Edge[] => [
      { from, to: 'auth', ports: [ports.auth] },
      { from, to: 'core', ports: [ports.core] },
      { from, to: 'haproxy', ports: [ports.chatEntry] },
      { from, to: 'chat', ports: [ports.chat] },
    ]),
    ...database('mysql', ['chat', 'core', 'worker', 'migrate']),
    ...database('postgres', ['core', 'auth', 'worker', 'migrate']),
    ...redis(plan),
    ...kafka,
    ...backup,
    ...prometheus,
    ...scraper,
  ];
}

/** With Sentinels everybody asks them first, and they watch every Redis. */
function redis(plan: Plan): Edge[] {
  if (plan.spec.redis.mode !== 'builtin') return services.map((from): Edge => ({ from, to: 'anywhere', ports: [] }));
  const open = hasSentinels(plan) ? REDIS_PORTS : [ports.redis];
  const users: Component[] = hasSentinels(plan) ? [...services, 'redis'] : [...services];
  return users.map((from): Edge => ({ from, to: 'redis', ports: open }));
}

const tcp = (list: number[]): k8s.NetworkPolicyPort[] => list.map((port) => ({ protocol: 'TCP', port: k8s.IntOrString.fromNumber(port) }));

export class NetworkChart extends Chart {
  constructor(scope: Construct, plan: Plan, components: readonly Component[]) {
    super(scope, 'network', { namespace: plan.namespace, disableResourceNameHashes: true, labels: clusterLabels(plan.cluster) });
    const all = edges(plan);
    for (const component of components) {
      const peer = (name: Peer): k8s.NetworkPolicyPeer[] | undefined => {
        if (name === 'anywhere') return undefined;
        if (name === 'internet') return INTERNET;
        if (name === 'scraper') return scrapers(plan);
        if (name === 'operator') return [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': plan.operatorNamespace } } }];
        // Strimzi labels its pods with the name of the Kafka.
        if (name === 'strimzi') return [{ podSelector: { matchLabels: { 'strimzi.io/cluster': nameOf(plan.cluster, 'kafka') } } }];
        return [{ podSelector: { matchLabels: selectorOf(plan.cluster, name) } }];
      };
      const incoming = all.filter((edge) => edge.to === component);
      const outgoing = all.filter((edge) => edge.from === component);
      new k8s.KubeNetworkPolicy(this, component, {
        metadata: { name: nameOf(plan.cluster, component) },
        spec: {
          podSelector: { matchLabels: selectorOf(plan.cluster, component) },
          policyTypes: ['Ingress', 'Egress'],
          // Without a rule nothing may come in; an empty list is not written, as the API server drops it.
          ...(incoming.length > 0 ? { ingress: incoming.map((edge) => rule('from', peer(edge.from), edge.ports)) } : {}),
          egress: [
            // Names: the resolver may be anywhere.
            { ports: [{ protocol: 'UDP', port: k8s.IntOrString.fromNumber(53) }, ...tcp([53])] },
            ...outgoing.map((edge) => rule('to', peer(edge.to), edge.ports)),
          ],
        },
      });
    }
  }
}

/** Pods that are a Prometheus by the label that prometheus-operator and the usual Helm charts give them. */
function scrapers({ spec }: Plan): k8s.NetworkPolicyPeer[] {
  const podSelector = { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } };
  const { scrapeNamespaces: names } = spec.monitoring;
  if (names.length === 0) return [{ namespaceSelector: {}, podSelector }];
  return [{ namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }] }, podSelector }];
}

function rule(direction: 'from' | 'to', peers: k8s.NetworkPolicyPeer[] | undefined, list: number[]): Record<string, unknown> {
  return { ...(peers ? { [direction]: peers } : {}), ...(list.length > 0 ? { ports: tcp(list) } : {}) };
}

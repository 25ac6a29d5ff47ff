// HAProxy: the one entry. Its configuration holds no secret; a change of it rolls the pods by a hash annotation.
import { createHash } from 'node:crypto';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { MAX_CHAT_REPLICAS, MAX_SERVICE_REPLICAS } from '@parley/operator-api';
import { emptyDir, fromSecret, httpProbe, podSpec } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { haproxyConfig } from '../haproxy/config.ts';
import type { Upstream } from '../haproxy/input.ts';
import { images, fqdnOf, ports, type Plan } from '../plan.ts';

const HAPROXY_UID = 99;
/** Listeners, checks and the runtime socket, beside two descriptors for each connection. */
const FD_MARGIN = 2000;
/** A HAProxy that goes away lets its sockets live this long. */
const HARD_STOP_SECONDS = 60;
/** The largest replica counts of the schema, so that scaling never changes the configuration. */
const SLOTS = { chat: MAX_CHAT_REPLICAS, core: MAX_SERVICE_REPLICAS, gateway: MAX_SERVICE_REPLICAS };

export class HaproxyChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'haproxy');
    const { replicas, service, trustedProxies, maxConnections } = plan.spec.ingress;
    const config = haproxyConfig({
      bindAddress: '*',
      listen: { gateway: ports.gateway, chat: ports.chatEntry, stats: ports.stats },
      chat: this.#servers('chat', ports.chat),
      core: this.#servers('core', ports.core),
      gateway: this.#servers('gateway', ports.gateway),
      resolvers: true,
      stats: { userEnv: 'STATS_USER', passwordEnv: 'STATS_PASSWORD' },
      maxconn: maxConnections,
      fdHardLimit: maxConnections * 2 + FD_MARGIN,
      trustedProxies,
      // Everybody behind a port-forward or a load balancer without PROXY protocol shares one address.
      perIpConnRate: 0,
      runtimeSocket: '/tmp/haproxy.sock',
      hardStopAfterSeconds: HARD_STOP_SECONDS,
    });
    new k8s.KubeConfigMap(this, 'config', { metadata: this.metadata(), data: { 'haproxy.cfg': config } });
    const pod = podSpec({
      plan,
      uid: HAPROXY_UID,
      resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
      graceSeconds: HARD_STOP_SECONDS + 15,
      spread: this.selector,
      volumes: [emptyDir('tmp'), { name: 'config', configMap: { name: this.name() } }],
      containers: [
        {
          name: 'haproxy',
          image: images.haproxy,
          env: [fromSecret('STATS_USER', this.name('stats'), 'user'), fromSecret('STATS_PASSWORD', this.name('stats'), 'password')],
          ports: { gateway: ports.gateway, chat: ports.chatEntry, stats: ports.stats },
          mounts: [
            { name: 'config', mountPath: '/usr/local/etc/haproxy', readOnly: true },
            { name: 'tmp', mountPath: '/tmp' },
          ],
          probes: {
            startup: httpProbe('/healthz', ports.stats, { periodSeconds: 1, failureThreshold: 60 }),
            readiness: httpProbe('/healthz', ports.stats, { periodSeconds: 2, failureThreshold: 2 }),
            liveness: httpProbe('/healthz', ports.stats, { periodSeconds: 10, failureThreshold: 3 }),
          },
        },
      ],
    });
    this.deployment(replicas, pod, { annotations: { 'chat.parley.dev/config-hash': createHash('sha256').update(config).digest('hex').slice(0, 16) } });
    this.service(
      { gateway: ports.gateway, chat: ports.chatEntry, stats: ports.stats },
      { type: service.type, ...(service.annotations ? { annotations: service.annotations } : {}) },
    );
    // One address per pod, for Prometheus.
    this.service({ stats: ports.stats }, { part: 'haproxy-pods', headless: true });
    this.disruptionBudget();
  }

  #servers(component: 'chat' | 'core' | 'gateway', port: number): Upstream {
    return { template: { fqdn: fqdnOf(this.plan, component), port, adminPort: ports.admin, slots: SLOTS[component] } };
  }
}

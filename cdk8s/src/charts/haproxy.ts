// HAProxy: the one entry. Its configuration holds no secret; a change of it rolls the pods by a hash annotation.
import { createHash } from 'node:crypto';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { MAX_CHAT_REPLICAS, MAX_SERVICE_REPLICAS } from '@parley/operator-api';
import { emptyDir, fromSecret, httpProbe, podSpec, secretVolume, type ContainerSettings } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { haproxyConfig } from '../haproxy/config.ts';
import type { Upstream } from '../haproxy/input.ts';
import { images, fqdnOf, ports, type Plan } from '../plan.ts';

const HAPROXY_UID = 99;
const RUNTIME_SOCKET = '/tmp/haproxy.sock';
const CERTIFICATE = '/run/secrets/tls/tls.crt';
const TLS_MOUNT = { name: 'tls', mountPath: '/run/secrets/tls', readOnly: true };
/** Listeners, checks and the runtime socket, beside two descriptors for each connection. */
const FD_MARGIN = 2000;
/** A HAProxy that goes away lets its sockets live for the drain window of chat, which asks them to reconnect meanwhile, and this. */
const HARD_STOP_MARGIN_SECONDS = 10;
/** The largest replica counts of the schema, so that scaling never changes the configuration. */
const SLOTS = { chat: MAX_CHAT_REPLICAS, core: MAX_SERVICE_REPLICAS, gateway: MAX_SERVICE_REPLICAS };

export class HaproxyChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'haproxy');
    const { replicas, service, trustedProxies, maxConnections, resources, tls, statsAuth } = plan.spec.ingress;
    const hardStopAfterSeconds = plan.spec.chat.drain.windowSeconds + HARD_STOP_MARGIN_SECONDS;
    const stats = statsAuth?.secretRef.name ?? this.name('stats');
    const config = haproxyConfig({
      bindAddress: '*',
      listen: { gateway: ports.gateway, chat: ports.chatEntry, stats: ports.stats },
      chat: this.#servers('chat', ports.chat),
      core: this.#servers('core', ports.core),
      gateway: this.#servers('gateway', ports.gateway),
      ...(tls ? { tls: { certificate: CERTIFICATE } } : {}),
      resolvers: true,
      stats: { userEnv: 'STATS_USER', passwordEnv: 'STATS_PASSWORD' },
      maxconn: maxConnections,
      fdHardLimit: maxConnections * 2 + FD_MARGIN,
      trustedProxies,
      // Everybody behind a port-forward or a load balancer without PROXY protocol shares one address.
      perIpConnRate: 0,
      runtimeSocket: RUNTIME_SOCKET,
      hardStopAfterSeconds,
    });
    new k8s.KubeConfigMap(this, 'config', { metadata: this.metadata(), data: { 'haproxy.cfg': config } });
    const pod = podSpec({
      plan,
      uid: HAPROXY_UID,
      resources,
      placement: this.placement,
      graceSeconds: hardStopAfterSeconds + 15,
      spread: this.selector,
      volumes: [
        emptyDir('tmp'),
        { name: 'config', configMap: { name: this.name() } },
        ...(tls ? [secretVolume('tls', tls.secretName, { 'tls.crt': 'tls.crt', 'tls.key': 'tls.key' })] : []),
      ],
      containers: [
        {
          name: 'haproxy',
          image: images.haproxy,
          env: [fromSecret('STATS_USER', stats, 'user'), fromSecret('STATS_PASSWORD', stats, 'password')],
          ports: { gateway: ports.gateway, chat: ports.chatEntry, stats: ports.stats },
          mounts: [
            { name: 'config', mountPath: '/usr/local/etc/haproxy', readOnly: true },
            { name: 'tmp', mountPath: '/tmp' },
            ...(tls ? [TLS_MOUNT] : []),
          ],
          probes: {
            startup: httpProbe('/healthz', ports.stats, { periodSeconds: 1, failureThreshold: 60 }),
            readiness: httpProbe('/healthz', ports.stats, { periodSeconds: 2, failureThreshold: 2 }),
            liveness: httpProbe('/healthz', ports.stats, { periodSeconds: 10, failureThreshold: 3 }),
          },
        },
        ...(tls ? [this.#follower()] : []),
      ],
    });
    this.deployment(replicas, pod, { annotations: { 'chat.parley.dev/config-hash': createHash('sha256').update(config).digest('hex').slice(0, 16) } });
    this.service(
      { gateway: ports.gateway, chat: ports.chatEntry, stats: ports.stats },
      { ...service },
    );
    // One address per pod, for Prometheus.
    this.service({ stats: ports.stats, ...(tls ? { admin: ports.admin } : {}) }, { part: 'haproxy-pods', headless: true });
    this.disruptionBudget();
  }

  /** Gives a renewed certificate to the running HAProxy: a reload would end its sockets. */
  #follower(): ContainerSettings {
    return {
      name: 'certificates',
      image: this.plan.servicesImage,
      command: ['node', '--enable-source-maps', 'services/certificates/dist/main.js'],
      env: [
        { name: 'CERTIFICATE_FILE', value: CERTIFICATE },
        { name: 'RUNTIME_SOCKET', value: RUNTIME_SOCKET },
      ],
      ports: { admin: ports.admin },
      mounts: [{ name: 'tmp', mountPath: '/tmp' }, TLS_MOUNT],
      resources: { requests: { cpu: '5m', memory: '48Mi' }, limits: { memory: '128Mi' } },
      probes: { liveness: httpProbe('/healthz', ports.admin, { periodSeconds: 10, failureThreshold: 3 }) },
    };
  }

  #servers(component: 'chat' | 'core' | 'gateway', port: number): Upstream {
    return { template: { fqdn: fqdnOf(this.plan, component), port, adminPort: ports.admin, slots: SLOTS[component] } };
  }
}

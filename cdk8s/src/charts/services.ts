// Parley's own services: chat, core, auth, gateway, worker, all from one image with a command each.
import type { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { autoscaler } from './autoscaler.ts';
import { authUrl, issuers, kafkaAccess, kafkaBrokers, mysqlUrl, postgresUrl, redisUrl, secretFile, tokenEnv, tracing, type Connection } from '../connections.ts';
import { emptyDir, httpProbe, podSpec, type ContainerSettings } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { nameOf, type Component } from '../names.ts';
import { fqdnOf, ports, type Plan } from '../plan.ts';

const NODE_UID = 1000;
/** Pods reach a service only through HAProxy or the gateway, which sit in the cluster's private ranges. */
const PRIVATE_RANGES = '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7';
/** After the drain window: close frames, queued messages, connections. */
const DRAIN_MARGIN_SECONDS = 10;
/** More than the process's own watchdog, so that the kubelet is never the one to end it. */
const GRACE_MARGIN_SECONDS = 25;

const env = (values: Record<string, string>): k8s.EnvVar[] => Object.entries(values).map(([name, value]) => ({ name, value }));
const rate = (event: string, { burst, perSecond }: { burst: number; perSecond: number }): Record<string, string> => ({
  [`RATE_${event}_BURST`]: String(burst),
  [`RATE_${event}_PER_SECOND`]: String(perSecond),
});
const podName: k8s.EnvVar = { name: 'INSTANCE_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };

interface ServiceSettings {
  entry: string;
  port?: number;
  env: k8s.EnvVar[];
  connections: Connection[];
  drainSeconds?: number;
}

abstract class ServiceChart extends ComponentChart {
  protected pod({ entry, port, env: own, connections: given, drainSeconds = 15 }: ServiceSettings): k8s.PodSpec {
    const traces = tracing(this.plan);
    const connections = [...given, ...traces.connections];
    const settings = this.plan.spec[this.component as 'chat' | 'core' | 'auth' | 'gateway' | 'worker'];
    const container: ContainerSettings = {
      name: this.component,
      image: this.plan.servicesImage,
      command: ['node', '--enable-source-maps', entry],
      env: [podName, ...env({ TRUSTED_PROXIES: PRIVATE_RANGES, ALLOWED_ORIGINS: this.plan.spec.ingress.allowedOrigins.join(','), DRAIN_TIMEOUT_MS: String(drainSeconds * 1000) }), ...traces.env, ...own, ...connections.flatMap((connection) => connection.env)],
      ports: { ...(port ? { http: port } : {}), admin: ports.admin },
      mounts: [{ name: 'tmp', mountPath: '/tmp' }, ...connections.map((connection) => connection.mount)],
      probes: {
        startup: httpProbe('/healthz', ports.admin, { periodSeconds: 2, failureThreshold: 60 }),
        // Slow is not broken: under a load that slows all replicas down, who is taken out or ended leaves its sockets to the others. HAProxy
        // asks by itself, and sees within a second that one drains.
        readiness: httpProbe('/readyz', ports.admin, { periodSeconds: 2, failureThreshold: 3 }),
        liveness: httpProbe('/healthz', ports.admin, { periodSeconds: 10, failureThreshold: 6 }),
      },
    };
    return podSpec({
      plan: this.plan,
      uid: NODE_UID,
      containers: [container],
      resources: settings.resources,
      placement: this.placement,
      volumes: [emptyDir('tmp'), ...connections.map((connection) => connection.volume)],
      graceSeconds: drainSeconds + GRACE_MARGIN_SECONDS,
      spread: this.selector,
    });
  }
}

/** StatefulSet: stable instance names (ADR 0005). The operator replaces one replica at a time, with an eye on its sockets (ADR 0012). */
export class ChatChart extends ServiceChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'chat');
    const { chat } = plan.spec;
    const pod = this.pod({
      entry: 'services/chat/dist/main.js',
      port: ports.chat,
      env: [
        ...tokenEnv(plan),
        ...issuers(plan).env,
        ...env({
          MAX_CONNECTIONS: String(chat.maxConnections),
          MESSAGE_MAX_BYTES: String(chat.messageMaxBytes),
          MAX_CONNECTIONS_PER_USER: String(chat.limits.connectionsPerUser),
          MAX_CONNECTIONS_PER_IP: String(chat.limits.connectionsPerAddress),
          ...rate('MESSAGE', chat.limits.message),
          ...rate('TYPING', chat.limits.typing),
          ...rate('ROOM_ACTION', chat.limits.roomAction),
          ...rate('CONNECT', chat.limits.connect),
          DRAIN_WINDOW_MS: String(chat.drain.windowSeconds * 1000),
          DRAIN_RATE_PERCENT_PER_SECOND: String(chat.drain.ratePercentPerSecond),
        }),
      ],
      connections: [mysqlUrl(plan), redisUrl(plan), ...issuers(plan).connections],
      drainSeconds: chat.drain.windowSeconds + DRAIN_MARGIN_SECONDS,
    });
    this.statefulSet(chat.replicas, pod, { replacedBy: 'operator' });
    this.service({ http: ports.chat, admin: ports.admin }, { headless: true });
    this.disruptionBudget();
    if (chat.autoscaling) autoscaler(this, chat.autoscaling, chat.drain.windowSeconds + DRAIN_MARGIN_SECONDS);
  }
}

export class CoreChart extends ServiceChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'core');
    const pod = this.pod({
      entry: 'services/core/dist/main.js',
      port: ports.core,
      env: [
        ...tokenEnv(plan),
        ...issuers(plan).env,
        ...env({ MESSAGE_MAX_BYTES: String(plan.spec.chat.messageMaxBytes), ...rate('MESSAGE', plan.spec.chat.limits.message) }),
      ],
      connections: [mysqlUrl(plan), postgresUrl(plan, 'USERS_DATABASE_URL'), redisUrl(plan), ...issuers(plan).connections],
    });
    this.deployment(plan.spec.core.replicas, pod);
    this.service({ http: ports.core, admin: ports.admin }, { headless: true });
    this.disruptionBudget();
  }
}

export class AuthChart extends ServiceChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'auth');
    const pod = this.pod({
      entry: 'services/auth/dist/main.js',
      port: ports.auth,
      env: env({ JWT_ISSUER: 'parley', JWT_AUDIENCE: 'parley', ACCESS_TOKEN_SECONDS: String(plan.spec.auth.accessTokenSeconds) }),
      connections: [
        postgresUrl(plan, 'DATABASE_URL'),
        redisUrl(plan),
        secretFile('JWT_PRIVATE_KEYS', nameOf(plan.cluster, 'jwt'), 'keys.json'),
        secretFile('BOOTSTRAP_API_KEY', nameOf(plan.cluster, 'api-key'), 'apiKey'),
      ],
    });
    this.deployment(plan.spec.auth.replicas, pod);
    this.service({ http: ports.auth, admin: ports.admin });
    this.disruptionBudget();
  }
}

export class GatewayChart extends ServiceChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'gateway');
    const pod = this.pod({
      entry: 'services/gateway/dist/main.js',
      port: ports.gateway,
      env: [
        ...tokenEnv(plan),
        ...issuers(plan).env,
        ...env({
          AUTH_URL: authUrl(plan),
          CORE_URL: `http://${fqdnOf(plan, 'core')}:${ports.core}`,
          WORKER_URL: `http://${fqdnOf(plan, 'worker')}:${ports.worker}`,
          ...rate('REST', plan.spec.gateway.requestLimit),
        }),
      ],
      connections: [redisUrl(plan), ...issuers(plan).connections],
    });
    this.deployment(plan.spec.gateway.replicas, pod);
    this.service({ http: ports.gateway, admin: ports.admin }, { headless: true });
    this.disruptionBudget();
  }
}

export class WorkerChart extends ServiceChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'worker');
    const { replicas, webhooks, notifications } = plan.spec.worker;
    const secret = notifications?.secretRef;
    const kafka = kafkaAccess(plan);
    const pod = this.pod({
      entry: 'services/worker/dist/main.js',
      port: ports.worker,
      env: [
        ...env({
          KAFKA_BROKERS: kafkaBrokers(plan).join(','),
          WEBHOOK_ALLOW_PRIVATE: String(webhooks.allowPrivate),
          WEBHOOK_FAILURES_MAX: String(webhooks.failuresMax),
          ...(notifications ? { NOTIFICATIONS_WEBHOOK_URL: notifications.url } : {}),
        }),
        ...kafka.env,
      ],
      connections: [
        mysqlUrl(plan),
        postgresUrl(plan, 'USERS_DATABASE_URL'),
        redisUrl(plan),
        ...kafka.connections,
        ...(secret ? [secretFile('NOTIFICATIONS_WEBHOOK_SECRET', secret.name, secret.key)] : []),
      ],
    });
    this.deployment(replicas, pod);
    this.service({ http: ports.worker, admin: ports.admin }, { headless: true });
  }
}

export const serviceComponents: readonly Component[] = ['chat', 'core', 'auth', 'gateway', 'worker', 'haproxy', 'canary'];

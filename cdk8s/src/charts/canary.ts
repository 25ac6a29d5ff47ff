// The canary: one pod that proves delivery through every chat replica.
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { authUrl, secretFile } from '../connections.ts';
import { emptyDir, httpProbe, podSpec } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { nameOf } from '../names.ts';
import { fqdnOf, ports, type Plan } from '../plan.ts';

const NODE_UID = 1000;

/** It needs an account, a room, the entry and something to watch. */
export const hasCanary = ({ spec }: Plan): boolean =>
  spec.monitoring.canary.enabled && [spec.auth, spec.core, spec.chat, spec.ingress].every(({ replicas }) => replicas > 0);

export class CanaryChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'canary');
    const { intervalSeconds, resources } = plan.spec.monitoring.canary;
    const secrets = [
      secretFile('API_KEY', nameOf(plan.cluster, 'api-key'), 'apiKey'),
      secretFile('ACCOUNT_PASSWORD', nameOf(plan.cluster, 'canary'), 'password'),
    ];
    const scheme = plan.spec.ingress.tls ? 'wss' : 'ws';
    const env = {
      AUTH_URL: authUrl(plan),
      CORE_URL: `http://${fqdnOf(plan, 'core')}:${ports.core}`,
      ENTRY_URL: `${scheme}://${fqdnOf(plan, 'haproxy')}:${ports.chatEntry}/api/ws`,
      REPLICAS_HOST: fqdnOf(plan, 'chat'),
      REPLICAS_PORT: String(ports.chat),
      MESSAGE_INTERVAL_MS: String(intervalSeconds * 1000),
    };
    const pod = podSpec({
      plan,
      uid: NODE_UID,
      resources,
      placement: this.placement,
      volumes: [emptyDir('tmp'), ...secrets.map(({ volume }) => volume)],
      containers: [
        {
          name: 'canary',
          image: plan.servicesImage,
          command: ['node', '--enable-source-maps', 'services/canary/dist/main.js'],
          env: [...Object.entries(env).map(([name, value]) => ({ name, value })), ...secrets.flatMap((secret) => secret.env)],
          ports: { admin: ports.admin },
          mounts: [{ name: 'tmp', mountPath: '/tmp' }, ...secrets.map(({ mount }) => mount)],
          probes: {
            readiness: httpProbe('/readyz', ports.admin),
            liveness: httpProbe('/healthz', ports.admin, { periodSeconds: 10, failureThreshold: 3 }),
          },
        },
      ],
    });
    // Two at once would share an account and count each other's sockets.
    const rollout = { maxUnavailable: k8s.IntOrString.fromNumber(1), maxSurge: k8s.IntOrString.fromNumber(0) };
    this.deployment(1, pod, { rollout });
    this.service({ admin: ports.admin }, { headless: true });
  }
}

// A small Prometheus for trying things out: finds every pod by the DNS of headless Services, so it needs no rights on the API.
import { createHash } from 'node:crypto';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { hasCanary } from './canary.ts';
import { emptyDir, httpProbe, podSpec } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { fqdnOf, images, ports, type Plan } from '../plan.ts';

const PROMETHEUS_UID = 65_534;
export const OPERATOR_METRICS_SERVICE = 'parley-operator';

/** prometheus.yml: one job per component. */
export function prometheusConfig(plan: Plan): string {
  const job = (name: string, host: string, port: number) => ({ job_name: name, dns_sd_configs: [{ names: [host], type: 'A', port, refresh_interval: '10s' }] });
  return stringify({
    global: { scrape_interval: '10s' },
    scrape_configs: [
      ...(['chat', 'core', 'auth', 'gateway', 'worker'] as const).map((component) => job(component, fqdnOf(plan, component), ports.admin)),
      ...(hasCanary(plan) ? [job('canary', fqdnOf(plan, 'canary'), ports.admin)] : []),
      job('haproxy', fqdnOf(plan, 'haproxy-pods'), ports.stats),
      ...(plan.spec.ingress.tls ? [job('certificates', fqdnOf(plan, 'haproxy-pods'), ports.admin)] : []),
      job('operator', `${OPERATOR_METRICS_SERVICE}.${plan.operatorNamespace}.svc.${plan.clusterDomain}`, ports.admin),
    ],
  });
}

export class PrometheusChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'prometheus');
    const config = prometheusConfig(plan);
    new k8s.KubeConfigMap(this, 'config', { metadata: this.metadata(), data: { 'prometheus.yml': config } });
    const pod = podSpec({
      plan,
      uid: PROMETHEUS_UID,
      resources: { requests: { cpu: '30m', memory: '96Mi' }, limits: { memory: '512Mi' } },
      volumes: [emptyDir('data'), { name: 'config', configMap: { name: this.name() } }],
      containers: [
        {
          name: 'prometheus',
          image: images.prometheus,
          args: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus', '--storage.tsdb.retention.time=24h'],
          ports: { http: ports.prometheus },
          mounts: [
            { name: 'data', mountPath: '/prometheus' },
            { name: 'config', mountPath: '/etc/prometheus', readOnly: true },
          ],
          probes: {
            readiness: httpProbe('/-/ready', ports.prometheus),
            liveness: httpProbe('/-/healthy', ports.prometheus, { initialDelaySeconds: 30, periodSeconds: 10 }),
          },
        },
      ],
    });
    this.deployment(1, pod, { annotations: { 'chat.parley.dev/config-hash': createHash('sha256').update(config).digest('hex').slice(0, 16) } });
    this.service({ http: ports.prometheus });
  }
}

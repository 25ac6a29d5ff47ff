// A small Prometheus for trying things out: finds every pod by the DNS of headless Services, so it needs no rights on the API.
import { createHash } from 'node:crypto';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { hasCanary } from './canary.ts';
import { emptyDir, httpProbe, podSpec } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { clusterRules, operatorRules } from '../monitoring/rules.ts';
import { scopeOf } from '../monitoring/scope.ts';
import { dnsConfig } from '../monitoring/scrape.ts';
import { OPERATOR } from '../names.ts';
import { fqdnOf, images, ports, type Plan } from '../plan.ts';

const PROMETHEUS_UID = 65_534;

/** The files of the ConfigMap: the jobs, one per component, and the alert rules. */
function prometheusFiles(plan: Plan): Record<string, string> {
  const target = (component: string, port: number, service = component) => ({ component, host: fqdnOf(plan, service), port });
  const config = dnsConfig(
    [
      ...(['chat', 'core', 'auth', 'gateway', 'worker'] as const).map((component) => target(component, ports.admin)),
      ...(hasCanary(plan) ? [target('canary', ports.admin)] : []),
      target('haproxy', ports.stats, 'haproxy-pods'),
      ...(plan.spec.ingress.tls ? [target('certificates', ports.admin, 'haproxy-pods')] : []),
    ],
    {
      of: { namespace: plan.namespace, chatcluster: plan.cluster },
      operator: { component: 'operator', host: `${OPERATOR}.${plan.operatorNamespace}.svc.${plan.clusterDomain}`, port: ports.admin },
      ruleFiles: ['/etc/prometheus/rules.yml'],
    },
  );
  const groups = [...clusterRules(scopeOf(plan), plan.spec.monitoring.runbooks), ...operatorRules()];
  const yaml = (content: object) => stringify(content, { aliasDuplicateObjects: false, lineWidth: 0 });
  return { 'prometheus.yml': yaml(config), 'rules.yml': yaml({ groups }) };
}

export class PrometheusChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'prometheus');
    const files = prometheusFiles(plan);
    new k8s.KubeConfigMap(this, 'config', { metadata: this.metadata(), data: files });
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
    this.deployment(1, pod, { annotations: { 'chat.parley.dev/config-hash': createHash('sha256').update(Object.values(files).join()).digest('hex').slice(0, 16) } });
    this.service({ http: ports.prometheus });
  }
}

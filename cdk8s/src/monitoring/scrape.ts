// Sample configurations of a Prometheus of one's own: beside `npm start`, and inside a cluster, by DNS.
import { OPERATOR } from '../names.ts';

const EVERY = { scrape_interval: '10s', evaluation_interval: '10s' };

/** A process of a local start. */
export interface LocalTarget {
  component: string;
  /** host:port */
  address: string;
}

/** The ports of `npm start`; a test compares them with those that it takes. */
export const LOCAL_TARGETS: readonly LocalTarget[] = [
  ...Object.entries({ auth: 9464, core: 9465, gateway: 9466, worker: 9467, haproxy: 8404 }).map(([component, port]) => ({
    ...{ component, address: `localhost:${port}` },
  })),
  ...[9468, 9469, 9470].map((port) => ({ component: 'chat', address: `localhost:${port}` })),
];

/** A prometheus.yml for processes on this machine: their targets and the file of the rules. */
export const localConfig = (targets: readonly LocalTarget[], ruleFile: string): object => ({
  global: EVERY,
  rule_files: [ruleFile],
  scrape_configs: [
    {
      job_name: 'parley',
      honor_labels: true,
      static_configs: targets.map(({ component, address }) => ({
        targets: [address],
        labels: { namespace: 'local', chatcluster: 'local', component },
      })),
    },
  ],
});

/** A part of a ChatCluster by the name of its headless Service. */
export interface DnsTarget {
  component: string;
  host: string;
  port: number;
}

/** Finds pods by DNS, so it needs no rights on the API. */
export function dnsConfig(
  targets: readonly DnsTarget[],
  { of, operator, ruleFiles }: { of: { namespace: string; chatcluster: string }; operator: DnsTarget; ruleFiles: readonly string[] },
): object {
  const job = ({ component, host, port }: DnsTarget, labels: Record<string, string>) => ({
    job_name: component,
    honor_labels: true,
    dns_sd_configs: [{ names: [host], type: 'A', port, refresh_interval: '10s' }],
    relabel_configs: Object.entries(labels).map(([label, replacement]) => ({ target_label: label, replacement })),
  });
  return {
    global: EVERY,
    rule_files: ruleFiles,
    scrape_configs: [
      ...targets.map((target) => job(target, { ...of, component: target.component })),
      // The operator is of no ChatCluster.
      job(operator, { component: 'operator' }),
    ],
  };
}

/** The ChatCluster of `npm run kind`. */
export function kindConfig(ruleFiles: readonly string[]): object {
  const of = { namespace: 'parley-demo', chatcluster: 'demo' };
  const service = (name: string) => `demo-${name}.parley-demo.svc.cluster.local`;
  const services = ['chat', 'core', 'auth', 'gateway', 'worker', 'canary'];
  return dnsConfig(
    [
      ...services.map((component) => ({ component, host: service(component), port: 9464 })),
      { component: 'haproxy', host: service('haproxy-pods'), port: 8404 },
    ],
    { of, operator: { component: 'operator', host: `${OPERATOR}.parley-system.svc.cluster.local`, port: 9464 }, ruleFiles },
  );
}

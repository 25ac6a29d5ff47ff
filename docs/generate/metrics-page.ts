// The page of Prometheus metrics.
import { code, page, prose, table } from './markdown.ts';
import type { MetricFacts, ServiceMetrics } from './sources.ts';

export interface AllMetrics {
  common: readonly MetricFacts[];
  services: readonly ServiceMetrics[];
  operator: readonly MetricFacts[];
}

export function metricsPage({ common, services, operator }: AllMetrics): string {
  return page(
    'Metrics',
    `Every process answers \`GET /metrics\` on its admin port (9464) in the text format of Prometheus. Every metric of a service also has the
labels \`service\` and \`instance\`. Beside those below each process has the metrics of its own process and of Node.js
(\`process_*\`, \`nodejs_*\`). HAProxy answers on its stats port (8404).`,
    '## Every service',
    tableOf(common),
    ...services.flatMap(({ service, metrics }) => [
      `## ${service}`,
      metrics.length > 0 ? tableOf(metrics) : 'None beside those of every service.',
    ]),
    '## operator',
    tableOf(operator),
  );
}

function tableOf(metrics: readonly MetricFacts[]): string {
  return table(
    ['Metric', 'Type', 'Labels', 'Meaning'],
    metrics.map(({ name, type, labels, help, buckets }) => [
      code(name),
      type,
      labels.map(code).join(', '),
      [prose(help), ...(buckets.length > 0 ? [`buckets ${buckets.join(', ')}`] : [])].join('; '),
    ]),
  );
}

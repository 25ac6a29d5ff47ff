// What watches a ChatCluster: alerts with runbooks, dashboards that Grafana takes, queries of metrics that exist, objects where they belong.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { chartFiles, desired, LOCAL_TARGETS, type KubeObject } from '@parley/cdk8s';
import { choosePorts } from '../../../kind/local/src/ports.ts';
import { missingKinds } from '../../../operator/src/kinds/optional-watches.ts';
import { find, objectsOf, planOf, VERSION } from './rendered.ts';

const root = resolve(import.meta.dirname, '../../..');
const files = chartFiles(VERSION);
const text = (path: string): string => files.get(`monitoring/${path}`) ?? assert.fail(path);

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}
const alerts = ['rules/clusters.yml', 'rules/operator.yml'].flatMap((path) =>
  (parse(text(path)) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules),
);

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: { expr: string; refId: string }[];
}
interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; type: string }[] };
}
const dashboards = [...files]
  .filter(([path]) => path.startsWith('monitoring/dashboards/'))
  .map(([, content]) => JSON.parse(content) as Dashboard);
const targets = ({ panels }: Dashboard) => panels.flatMap(({ targets: each = [] }) => each);

/** Names of metrics in a query: what stands before a selector, a range or an operator, and is no word of PromQL. */
const metricsIn = (expr: string): string[] =>
  [...expr.replace(/"[^"]*"/g, '""').matchAll(/\b[a-zA-Z]+_[a-z0-9_]+\b(?!\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !WORDS.has(name));
const WORDS = new Set(['__rate_interval', '__range', 'alertstate']);

describe('alerts', () => {
  test('each has one name, a severity, a summary, a description and a runbook of its own', () => {
    assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
    assert.ok(alerts.length > 30);
    for (const { alert, labels, annotations } of alerts) {
      assert.match(labels.severity, /^(critical|warning)$/, alert);
      assert.ok(annotations.summary.length > 10 && annotations.description.length > 10, alert);
      const [page = '', anchor] = annotations.runbook_url.split('#');
      assert.ok(existsSync(join(root, page)), `${alert}: ${page} is missing`);
      assert.equal(anchor, alert.toLowerCase());
      assert.ok(readFileSync(join(root, page), 'utf8').includes(`\n## ${alert}\n`), `${alert}: ${page} has no section of that name`);
    }
  });

  test('no runbook is about an alert that there is not', () => {
    for (const page of new Set(alerts.map(({ annotations }) => annotations.runbook_url.split('#')[0] ?? '')))
      for (const [, heading] of readFileSync(join(root, page), 'utf8').matchAll(/^## (Parley\w+)$/gm))
        assert.ok(
          alerts.some(({ alert }) => alert === heading),
          `${page} has a section ${heading}`,
        );
  });

  test('the runbooks are where the spec says', () => {
    const objects = desired(planOf({ monitoring: { runbooks: 'https://wiki.example.org/parley' } }), {
      migrated: true,
      served: ['PrometheusRule'],
    });
    const { groups } = find(objects, 'PrometheusRule', 'demo')['spec'] as { groups: { rules: Rule[] }[] };
    assert.match(groups[0]?.rules[0]?.annotations.runbook_url ?? '', /^https:\/\/wiki\.example\.org\/parley\/delivery\.md#/);
  });

  test('the page of monitoring lists every alert', () => {
    const page = readFileSync(join(root, 'docs/operating/monitoring.md'), 'utf8');
    for (const { alert } of alerts) assert.ok(page.includes(`[${alert}](`), alert);
  });
});

describe('queries', () => {
  const known = new Set(
    [...readFileSync(join(root, 'docs/reference/metrics.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\w+)/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
    ),
  );
  const queries = [...alerts.map(({ expr }) => expr), ...dashboards.flatMap((each) => targets(each).map(({ expr }) => expr))];

  test('name metrics that Parley has, or HAProxy, or every process', () => {
    assert.ok(known.size > 60);
    const unknown = queries
      .flatMap(metricsIn)
      .filter((name) => !known.has(name) && !/^(haproxy_(frontend|backend|server)|process|nodejs)_/.test(name));
    assert.deepEqual([...new Set(unknown)], []);
  });

  test('the overview has every name that the queries of the origin expect', () => {
    const overview = dashboards.find(({ uid }) => uid === 'parley-overview') ?? assert.fail('no overview');
    const used = targets(overview).flatMap(({ expr }) => metricsIn(expr));
    for (const name of [
      ...['websocket_connections', 'websocket_messages_sent_total', 'websocket_messages_received_total', 'websocket_errors_total'],
      ...['http_requests_total', 'http_request_duration_seconds_bucket', 'kafka_messages_produced_total', 'kafka_messages_consumed_total'],
      ...['kafka_consumer_lag', 'kafka_broker_up', 'chat_rooms_active', 'chat_messages_sent_total', 'users_online_total'],
      ...['auth_attempts_total', 'rate_limit_exceeded_total', 'cache_hits_total', 'cache_requests_total'],
    ])
      assert.ok(used.includes(name), name);
  });

  test('every series of an alert about ChatClusters is chosen by ChatCluster', () => {
    const objects = desired(planOf({}), { migrated: true, served: ['PrometheusRule'] });
    const { groups } = find(objects, 'PrometheusRule', 'demo')['spec'] as { groups: { rules: Rule[] }[] };
    for (const { alert, expr } of groups.flatMap(({ rules }) => rules)) {
      const series = [...expr.matchAll(/\b[a-z]+(?:_[a-z0-9]+)+(?=[{[])|\bup(?=\{)/g)].length;
      const chosen = expr.split('{namespace="team",chatcluster="demo"').length - 1;
      assert.ok(series > 0 && series === chosen, `${alert}: ${expr}`);
    }
  });
});

describe('dashboards', () => {
  test('have what Grafana wants: uid, schema version, a data source to choose, panels beside and not over each other', () => {
    assert.equal(dashboards.length, 5);
    assert.equal(new Set(dashboards.map(({ uid }) => uid)).size, 5);
    for (const dashboard of dashboards) {
      const { uid, title, schemaVersion, panels, templating } = dashboard;
      assert.match(uid, /^[a-zA-Z0-9_-]{1,40}$/);
      assert.ok(title.startsWith('Parley / '));
      assert.equal(schemaVersion, 39);
      assert.deepEqual([templating.list[0]?.name, templating.list[0]?.type], ['datasource', 'datasource']);
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      for (const { type, datasource, targets: queries = [] } of panels) {
        if (type === 'row') continue;
        assert.equal(datasource?.uid, '${datasource}');
        assert.ok(queries.length > 0);
        assert.equal(new Set(queries.map(({ refId }) => refId)).size, queries.length);
      }
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
        assert.ok(x + w <= 24);
        return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
      });
      assert.equal(new Set(cells).size, cells.length, title);
    }
  });

  test('each ChatCluster has its own, found by the sidecar of Grafana and set to it', () => {
    const maps = (name: string) =>
      desired(planOf({}, { name }), { migrated: true }).filter(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1');
    assert.deepEqual(
      maps('demo').map(({ metadata }) => metadata.name),
      ['overview', 'delivery', 'haproxy', 'dependencies'].map((name) => `demo-dashboard-${name}`),
    );
    const contents = ['demo', 'other'].flatMap((name) => maps(name).flatMap(({ data }) => Object.entries(data as Record<string, string>)));
    const uids = contents.map(([, content]) => (JSON.parse(content) as Dashboard).uid);
    assert.equal(new Set(uids).size, 8);
    assert.equal(new Set(contents.map(([file]) => file)).size, 8);
    for (const uid of uids) assert.match(uid, /^[a-zA-Z0-9_-]{1,40}$/);
    assert.ok(contents[0]?.[1].includes('"text":"demo"'));
    assert.ok(!objectsOf({ monitoring: { dashboards: false } }).some(({ metadata }) => metadata.labels?.['grafana_dashboard']));
  });
});

describe('objects of prometheus-operator', () => {
  const kinds = (objects: KubeObject[]) =>
    objects.map(({ kind }) => kind).filter((kind) => ['PodMonitor', 'PrometheusRule'].includes(kind));
  const both = { migrated: true, served: ['PodMonitor', 'PrometheusRule'] as const };

  test('are made where the API server knows them, and not where the spec says off', () => {
    assert.deepEqual(kinds(desired(planOf({}), { migrated: true })), []);
    assert.deepEqual(kinds(desired(planOf({}), both)), ['PodMonitor', 'PrometheusRule']);
    assert.deepEqual(kinds(desired(planOf({ monitoring: { podMonitor: 'never' } }), both)), ['PrometheusRule']);
    assert.deepEqual(kinds(desired(planOf({ monitoring: { podMonitor: 'always' } }), { migrated: true })), []);
  });

  test('what is on and not there is told with the next step', () => {
    assert.deepEqual(missingKinds(planOf({}), []), []);
    assert.deepEqual(missingKinds(planOf({ monitoring: { podMonitor: 'always' } }), ['PodMonitor']), []);
    const [told = '', ...more] = missingKinds(planOf({ monitoring: { podMonitor: 'always', prometheusRule: 'never' } }), [
      'PrometheusRule',
    ]);
    assert.deepEqual(more, []);
    assert.match(told, /spec\.monitoring\.podMonitor is always.*no kind PodMonitor.*helm install prometheus-operator-crds.*auto or never/);
  });

  test('the PodMonitor chooses the pods of its ChatCluster, and each of its ports is one of theirs', () => {
    const objects = desired(planOf({ monitoring: { labels: { release: 'prometheus' } } }), both);
    const { metadata, spec } = find(objects, 'PodMonitor', 'demo') as KubeObject & {
      spec: { selector: { matchLabels: object }; podMetricsEndpoints: { port: string; honorLabels: boolean }[] };
    };
    assert.equal(metadata.labels?.['release'], 'prometheus');
    assert.deepEqual(spec.selector.matchLabels, { 'app.kubernetes.io/name': 'parley', 'app.kubernetes.io/instance': 'demo' });
    const chat = JSON.stringify(find(objects, 'StatefulSet', 'demo-chat'));
    const haproxy = JSON.stringify(find(objects, 'Deployment', 'demo-haproxy'));
    assert.deepEqual(
      spec.podMetricsEndpoints.map(({ port }) => port),
      ['admin', 'stats'],
    );
    assert.ok(chat.includes('"name":"admin"') && haproxy.includes('"name":"stats"'));
  });

  test('a Prometheus elsewhere gets past the NetworkPolicies to the metrics, and nobody does with podMonitor never', () => {
    const ingress = (spec: object, component: string) =>
      JSON.stringify((find(objectsOf(spec), 'NetworkPolicy', `demo-${component}`)['spec'] as { ingress?: object[] }).ingress);
    const label = '"app.kubernetes.io/name":"prometheus"';
    assert.ok(ingress({}, 'chat').includes(`[{"namespaceSelector":{},"podSelector":{"matchLabels":{${label}}}}]`));
    assert.ok(ingress({ monitoring: { scrapeNamespaces: ['watch'] } }, 'haproxy').includes('"values":["watch"]'));
    for (const component of ['chat', 'core', 'auth', 'gateway', 'worker', 'haproxy', 'canary'])
      assert.ok(!ingress({ monitoring: { podMonitor: 'never' } }, component).includes(label), component);
    for (const component of ['mysql', 'postgres', 'redis', 'kafka']) assert.ok(!(ingress({}, component) ?? '').includes(label), component);
  });

  test('those for use by hand are whole', () => {
    for (const path of ['clusters.yaml', 'operator.yaml'])
      for (const document of parseAllDocuments(text(path))) {
        const { kind, metadata } = document.toJS() as KubeObject;
        assert.ok(kind && metadata.name && !metadata.namespace, path);
      }
  });
});

test('the sample for local mode has the ports of npm start', () => {
  const { admin, chats, stats } = choosePorts({ chatReplicas: 3 });
  const expected = [...Object.entries({ ...admin, haproxy: stats }), ...chats.map(({ admin: port }) => ['chat', port] as const)];
  assert.deepEqual(
    LOCAL_TARGETS.map(({ component, address }) => `${component} ${address}`).sort(),
    expected.map(([component, port]) => `${component} localhost:${port}`).sort(),
  );
});

test('the builtin Prometheus has the same rules', () => {
  const { data } = find(objectsOf({ monitoring: { prometheus: 'builtin' } }), 'ConfigMap', 'demo-prometheus') as KubeObject & {
    data: Record<string, string>;
  };
  const { groups } = parse(data['rules.yml'] ?? '') as { groups: { rules: Rule[] }[] };
  assert.deepEqual(
    groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)),
    alerts.map(({ alert }) => alert),
  );
  assert.deepEqual((parse(data['prometheus.yml'] ?? '') as { rule_files: string[] }).rule_files, ['/etc/prometheus/rules.yml']);
});

// Every query of every dashboard, every alert and the queries of the older system, on a real Prometheus that scrapes a local system at work,
// a canary beside it, and the registry of an operator.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canaryConfig, startCanary, type RunningCanary } from '@parley/canary';
import { localConfig, type LocalTarget } from '@parley/cdk8s';
import { createLog, Health, loadConfig, startAdmin } from '@parley/kit/process';
import { choosePorts } from '../../../kind/local/src/ports.ts';
import { createOperatorMetrics } from '../../../operator/src/metrics/metrics.ts';
import { freeRow, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { callWithoutCore, peopleAtWork } from './local-load.ts';
import { startPrometheus, type LocalPrometheus } from './local-prometheus.ts';

const charts = resolve(import.meta.dirname, '../../../charts/monitoring');
const REPLICAS = 2;

/** Metrics that have no series here, and why. Their names are checked all the same. */
const WITHOUT_SERIES: Record<string, string> = {
  chat_commit_failures_total: 'no transaction failed',
  websocket_closed_total: 'no socket was closed by a replica',
  parley_consumer_dead_letters_total: 'no event was set aside',
  parley_consumer_restarts_total: 'no consumer ended',
  parley_consumer_retries_total: 'no event was tried again',
  parley_outbox_dead_letters_total: 'no event was set aside',
  parley_webhook_attempts_total: 'there is no webhook',
  parley_notifications_total: 'nobody who is offline was written to',
  rate_limit_local_decisions_total: 'Redis answers in time',
  parley_tls_certificate_expiry_timestamp_seconds: 'local mode has no TLS',
  parley_tls_certificate_looks_total: 'local mode has no TLS',
  chat_drain_ends_timestamp_seconds: 'no replica drains; the query asks for one that does',
  ALERTS: 'nothing is wrong',
};

/** The names that the older system's queries were written for, in the shapes they were used. */
const ORIGIN = [
  ...['sum(websocket_connections)', 'rate(websocket_messages_sent_total[1m])', 'rate(websocket_messages_received_total[1m])'],
  ...['rate(websocket_errors_total[1m])', 'rate(http_requests_total{service="auth"}[1m])', 'rate(http_requests_total{status=~"4.."}[1m])'],
  'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))',
  'rate(http_request_duration_seconds_sum[1m]) / rate(http_request_duration_seconds_count[1m])',
  ...['rate(kafka_messages_produced_total[1m])', 'rate(kafka_messages_consumed_total[1m])', 'kafka_consumer_lag', 'kafka_broker_up == 1'],
  ...['sum(chat_rooms_active)', 'rate(chat_messages_sent_total[1m])', 'sum(users_online_total)'],
  ...['rate(auth_attempts_total{result="success"}[1m])', 'rate(auth_attempts_total{result="failed"}[1m])'],
  ...['rate(rate_limit_exceeded_total[1m])', 'rate(cache_hits_total[1m]) / rate(cache_requests_total[1m])'],
];

const dashboardQueries = (): string[] =>
  readdirSync(join(charts, 'dashboards')).flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(charts, 'dashboards', file), 'utf8')) as { panels: { targets?: { expr: string }[] }[] };
    return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  });
const filledIn = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '5m').replaceAll('$namespace', '.*').replaceAll('$chatcluster', '.*');
const isExcused = (expr: string): boolean => Object.keys(WITHOUT_SERIES).some((name) => new RegExp(`\\b${name}\\b`).test(expr));

/** As a leader has it in the middle of its work. */
async function operatorAtWork(): Promise<{ port: number; close: () => void }> {
  const conditions = ['Ready', 'Available', 'Degraded'].map((type) => ({ type, status: 'True', reason: 'Test' }));
  const live = { apiVersion: 'v1', kind: 'ChatCluster', metadata: { name: 'demo', namespace: 'team' }, status: { conditions } };
  const backups = [{ cronJob: 'demo-backup-mysql', failure: undefined, succeededMs: Date.now() }];
  const metrics = createOperatorMetrics(
    () => 0,
    () => [{ live, backups }],
  );
  metrics.leader.set(1);
  metrics.reconciles.inc({ result: 'ok' });
  metrics.reconciles.inc({ result: 'error' }, 0);
  metrics.watchRestarts.inc({ kind: 'Pod' }, 0);
  metrics.drills.inc({ fault: 'KillRedis', result: 'Passed' });
  metrics.apiCalls.inc({ method: 'GET', status: '200' });
  metrics.reconcileSeconds.observe(0.1);
  metrics.queueSeconds.observe(0.01);
  return startAdmin({ host: '127.0.0.1', port: 0, health: new Health(), registry: metrics.registry });
}

describe('queries on a Prometheus', { timeout: 280_000 }, () => {
  const folder = temporaryFolder();
  const end = new AbortController();
  let parley: LocalStart;
  let canary: RunningCanary | undefined;
  let operator: { port: number; close: () => void } | undefined;
  let prometheus: LocalPrometheus | undefined;
  let work: Promise<void> = Promise.resolve();

  const startCanaryBeside = async (): Promise<RunningCanary> => {
    const { urls, apiKey, chatInstances } = parley.local();
    const replica = new URL(chatInstances[0]?.url ?? assert.fail());
    const env = {
      ...{ AUTH_URL: urls.auth, CORE_URL: urls.core, ENTRY_URL: `${urls.chat.replace('http', 'ws')}/api/ws`, API_KEY: apiKey },
      ...{ REPLICAS_HOST: '127.0.0.1', REPLICAS_PORT: replica.port, ACCOUNT_PASSWORD: 'a password for the canary' },
      ...{ MESSAGE_INTERVAL_MS: '500', ADMIN_PORT: '0', ADMIN_HOST: '127.0.0.1' },
    };
    const log = createLog({ service: 'canary', instance: 'test', level: 'fatal' });
    return startCanary({ config: loadConfig(canaryConfig, env, () => ''), log, instance: 'test' });
  };

  before(async () => {
    const from = await freeRow(REPLICAS);
    parley = startLocal(join(folder, 'data'), ['--chat-replicas', String(REPLICAS), '--ports-from', String(from)]);
    await parley.until('Ctrl-C stops it');
    canary = await startCanaryBeside();
    operator = await operatorAtWork();
    const { admin, chats, stats } = choosePorts({ chatReplicas: REPLICAS, from });
    const targets: LocalTarget[] = [
      ...Object.entries({ ...admin, haproxy: stats, canary: canary.adminPort }),
      ...chats.map(({ admin: port }) => ['chat', port] as const),
    ].map(([component, port]) => ({ component, address: `127.0.0.1:${port}` }));
    const config = localConfig(targets, join(charts, 'rules/*.yml')) as { scrape_configs: object[] };
    const often = { global: { scrape_interval: '1s', evaluation_interval: '1s' } };
    const ofOperator = { job_name: 'operator', honor_labels: true, static_configs: [{ targets: [`127.0.0.1:${operator.port}`] }] };
    prometheus = await startPrometheus(folder, { ...config, ...often, scrape_configs: [...config.scrape_configs, ofOperator] });
    assert.equal(await callWithoutCore(parley.local()), 504);
    work = peopleAtWork(parley.local(), end.signal);
  });
  after(async () => {
    end.abort();
    await work.catch(() => {});
    await prometheus?.stop();
    await canary?.close();
    operator?.close();
    parley.press('SIGINT');
    await parley.exited;
    removeFolder(folder);
  });

  const api = <T>(path: string, parameters?: Record<string, string>): Promise<T> => (prometheus ?? assert.fail()).api<T>(path, parameters);
  const seriesOf = async (expr: string): Promise<number> =>
    (await api<{ result: unknown[] }>('query', { query: filledIn(expr) })).result.length;
  /** Those that have no series after a while. */
  const empty = async (queries: readonly string[]): Promise<string[]> => {
    const deadline = performance.now() + 60_000;
    let left = [...queries];
    while (left.length > 0 && performance.now() < deadline) {
      const found = await Promise.all(left.map(seriesOf));
      left = left.filter((_, index) => found[index] === 0);
      if (left.length > 0) await sleep(500);
    }
    return left;
  };

  test('every target is up', async () => {
    // Four services, HAProxy, canary and operator beside the replicas.
    assert.deepEqual(await empty([`sum(up) == ${7 + REPLICAS}`]), []);
  });

  test('every query of the dashboards has data, but for what did not happen', async () => {
    const queries = [...new Set(dashboardQueries())];
    assert.ok(queries.length > 80);
    assert.deepEqual(await empty(queries.filter((expr) => !isExcused(expr))), []);
    // The others are right, too: a wrong one throws.
    for (const expr of queries.filter(isExcused)) await seriesOf(expr);
  });

  test('the queries of the older system have data', async () => {
    assert.deepEqual(await empty(ORIGIN), []);
  });

  test('every alert is evaluated without an error, of metrics that somebody has', async () => {
    interface Rules {
      groups: { rules: { name: string; query: string; health: string; lastError?: string }[] }[];
    }
    const read = async () => (await api<Rules>('rules')).groups.flatMap((group) => group.rules);
    // Each is evaluated once in ten seconds.
    const deadline = performance.now() + 60_000;
    let rules = await read();
    for (; rules.some(({ health }) => health === 'unknown') && performance.now() < deadline; rules = await read()) await sleep(200);
    assert.equal(rules.length, 36);
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError ?? 'not evaluated'}`),
      [],
    );
    const known = await api<Record<string, unknown>>('metadata');
    const names = rules.flatMap(({ query }) => [...query.matchAll(/\b[a-z]+(?:_[a-z0-9]+)+(?=\{|\[)/g)].map(([name]) => name));
    const unknown = names
      .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
      // Local mode has no TLS, so no process that has these.
      .filter((name) => !name.startsWith('parley_tls_') && known[name] === undefined);
    assert.deepEqual([...new Set(unknown)], []);
  });
});

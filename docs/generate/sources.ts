// Reads what the pages are made from: the protocol's tables, and the configuration and metrics of every service. Services are found
// on disk and read by path, because their packages do not export their metrics, and so that a new service cannot be forgotten.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createHealthMetrics, createMetrics, Health } from '@parley/kit/process';
import { createRateLimitMetrics } from '@parley/kit/rate-limit';
import type { ErrorCodeName, Operations } from '@parley/protocol';
import { Registry, type MetricObject } from 'prom-client';
import type { Schema } from './schema-text.ts';

export const root = resolve(import.meta.dirname, '../..');
/** In a run of the tests on what was built there is nothing that could load a source. */
const runsFromSources = import.meta.resolve('@parley/kit/process').endsWith('.ts');

export interface ServiceConfig {
  service: string;
  /** property of the configuration -> schema */
  properties: Record<string, Schema & { secret?: boolean; optional?: boolean }>;
}

export interface MetricFacts {
  name: string;
  help: string;
  type: string;
  labels: readonly string[];
  buckets: readonly number[];
}

export interface ServiceMetrics {
  service: string;
  metrics: MetricFacts[];
}

export const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;

export function services(): string[] {
  const folder = join(root, 'services');
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'src/main.ts')))
    .sort();
}

export async function configOf(service: string): Promise<ServiceConfig> {
  const found = Object.values(await load(`services/${service}/src/config.ts`)).filter(
    (value): value is ServiceConfig => typeof value === 'object' && value !== null && 'properties' in value,
  );
  const [config, ...more] = found;
  if (!config || more.length > 0) throw new Error(`services/${service}/src/config.ts exports ${found.length} schemas; one is expected`);
  return { service, properties: config.properties };
}

/** Metrics that every process has beside those of prom-client itself. */
export function commonMetrics(): MetricFacts[] {
  const { registry } = createMetrics({ service: '', instance: '' });
  createHealthMetrics(registry, new Health());
  return factsOf(registry);
}

/** Metrics of one service beside {@link commonMetrics}. Nothing is started: the definitions are registered and read. */
export async function metricsOf(service: string): Promise<ServiceMetrics> {
  const registry = new Registry();
  const file = `services/${service}/src/metrics.ts`;
  const define = existsSync(join(root, file)) ? Object.values(await load(file)) : [];
  for (const each of define) if (typeof each === 'function') (each as Define)(registry, anyState);
  // Some services define the metrics of rate limits where they make the limiter.
  if (limitsRates(service) && !registry.getSingleMetric('rate_limit_exceeded_total')) createRateLimitMetrics(registry);
  return { service, metrics: factsOf(registry) };
}

export async function operatorMetrics(): Promise<MetricFacts[]> {
  const { createOperatorMetrics } = await load('operator/src/metrics/metrics.ts');
  return factsOf((createOperatorMetrics as (queueDepth: () => number) => { registry: Registry })(() => 0).registry);
}

/** What the gateway describes when every service is behind it. */
export async function gatewayFacts(): Promise<{ operations: Operations; everywhere: readonly ErrorCodeName[] }> {
  const { operationsOf, gatewayErrors } = await load('services/gateway/src/domain/operations.ts');
  const operations = (operationsOf as (upstreams: object) => Operations)({ auth: true, core: true, worker: true });
  return { operations, everywhere: gatewayErrors as readonly ErrorCodeName[] };
}

/** A source file as text. */
export const sourceText = (path: string): string => readFileSync(join(root, path), 'utf8');

type Define = (registry: Registry, state: unknown) => unknown;

/** Stands in for the state that gauges read at a scrape; no scrape comes. */
const anyState: unknown = new Proxy(() => 0, { get: () => () => 0 });

async function load(path: string): Promise<Record<string, unknown>> {
  return (await import(
    pathToFileURL(join(root, runsFromSources ? path : path.replace('/src/', '/dist/').replace(/\.ts$/, '.js'))).href
  )) as Record<string, unknown>;
}

function limitsRates(service: string): boolean {
  const folder = join(root, 'services', service, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .some((path) => readFileSync(join(folder, path), 'utf8').includes('createRateLimitMetrics('));
}

/** prom-client knows more of a metric than its typings say. */
type Defined = MetricObject & { labelNames?: string[]; upperBounds?: number[] };

function factsOf(registry: Registry): MetricFacts[] {
  return (registry.getMetricsAsArray() as Defined[])
    .filter(({ name }) => !/^(process|nodejs)_/.test(name))
    .map(({ name, help, type, labelNames = [], upperBounds = [] }) => ({
      ...{ name, help, type: String(type), buckets: upperBounds },
      labels: labelNames.filter((label) => label !== 'le'),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

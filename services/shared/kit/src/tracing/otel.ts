// Records spans with OpenTelemetry and sends them by OTLP over HTTP. Loaded only when an endpoint is configured (startTracing).
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import {
  createTraceState,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span as OtelSpan,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { AppError, messageOf } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { operationOf } from './sql-operation.ts';
import type { TraceCaller, TraceContext } from './trace-context.ts';
import { spanChannel, type Span, type SpanAttributes } from './tracing.ts';

export interface OtelOptions {
  /** Base of the collector, as in OTEL_EXPORTER_OTLP_ENDPOINT: `/v1/traces` is added. */
  endpoint: string;
  headers: Record<string, string>;
  /** Share of the traces that are recorded, 0 to 1; of those with a caller only what the caller records. */
  ratio: number;
  service: string;
  instance: string;
  version: string;
  log: Log;
}

const EXPORT_TIMEOUT_MS = 5000;
/** Spans that wait while the collector is slow; more are dropped. */
const QUEUE_MAX = 4096;
/** The driver's own channel; its message holds the text with the values in it, of which only the first word is kept. */
const mysqlChannel = tracingChannel<unknown, { query: string; database: string; error?: unknown }>('mysql2:query');

/** Records from now on. The function it returns sends what is left, within a bound, and ends it. */
export function startOtel({ endpoint, headers, ratio, service, instance, version, log }: OtelOptions): () => Promise<void> {
  reportOutages(log);
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `parley-${service}`, 'service.instance.id': instance, 'service.version': version }),
    // By the id, so that all services decide alike. Also when a caller records its part: otherwise anybody outside could have all recorded.
    sampler: new ParentBasedSampler({
      root: new TraceIdRatioBasedSampler(ratio),
      remoteParentSampled: new TraceIdRatioBasedSampler(ratio),
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: EXPORT_TIMEOUT_MS, maxQueueSize: QUEUE_MAX })],
    forceFlushTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const stop = record(provider.getTracer('parley', version));
  return async () => {
    stop();
    await provider.shutdown().catch((error: unknown) => log.debug({ reason: messageOf(error) }, 'the last spans are lost'));
    diag.disable();
  };
}

/** Subscribes to the channels. Returns what ends it. */
function record(tracer: Tracer): () => void {
  const current = new AsyncLocalStorage<Context>();
  const open = new WeakMap<object, OtelSpan>();
  const end = (message: { name?: string; outcome?: SpanAttributes; error?: unknown }) => {
    const span = open.get(message);
    if (!span) return;
    if (message.name !== undefined) span.updateName(message.name);
    if (message.outcome) span.setAttributes(message.outcome);
    if (message.error !== undefined) fail(span, message.error);
    span.end();
    open.delete(message);
  };
  const ends = { asyncEnd: end, start: () => {}, end: () => {}, asyncStart: () => {}, error: () => {} };

  spanChannel.start.bindStore(current, (message) => {
    const around = message.root ? undefined : current.getStore();
    if (message.withinOnly && (!around || around === ROOT_CONTEXT)) return ROOT_CONTEXT;
    const parent = message.caller ? remote(message.caller) : (around ?? ROOT_CONTEXT);
    const { name, attributes } = message;
    const span = tracer.startSpan(name, { kind: kinds[message.kind], attributes }, parent);
    open.set(message, span);
    message.trace = contextOf(span, message.caller);
    return trace.setSpan(parent, span);
  });
  spanChannel.subscribe(ends);
  mysqlChannel.start.bindStore(current, (message) => {
    const parent = current.getStore();
    // As with `withinOnly`.
    if (!parent || parent === ROOT_CONTEXT) return ROOT_CONTEXT;
    const operation = operationOf(message.query);
    const attributes = { 'db.system.name': 'mysql', 'db.namespace': message.database, 'db.operation.name': operation };
    const span = tracer.startSpan(operation, { kind: SpanKind.CLIENT, attributes }, parent);
    open.set(message, span);
    return trace.setSpan(parent, span);
  });
  mysqlChannel.subscribe(ends);
  return () => {
    for (const channel of [spanChannel, mysqlChannel]) {
      channel.start.unbindStore(current);
      channel.unsubscribe(ends);
    }
  };
}

const kinds: Record<Span['kind'], SpanKind> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  internal: SpanKind.INTERNAL,
};

function remote({ traceId, spanId, flags, state }: TraceCaller): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
  });
}

function contextOf(span: OtelSpan, caller: TraceCaller | undefined): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceId, spanId, flags: traceFlags.toString(16).padStart(2, '0'), state: caller?.state };
}

/** What the caller did wrong is no error of the span: only what is not expected, and what the caller may try again. */
function fail(span: OtelSpan, error: unknown): void {
  if (error instanceof AppError && error.status < 500) return;
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof AppError ? error.code : messageOf(error).slice(0, 200) });
}

/** One line per outage: the exporter reports each batch that it could not send. */
function reportOutages(log: Log): void {
  let reportedAtMs = -Infinity;
  const warn = (reason: string) => {
    const nowMs = performance.now();
    if (nowMs - reportedAtMs < 60_000) return;
    reportedAtMs = nowMs;
    log.warn({ reason: reason.slice(0, 300) }, 'spans are not sent to the collector');
  };
  const ignore = () => {};
  diag.setLogger(
    { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

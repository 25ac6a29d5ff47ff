// Spans and trace contexts; the library that sends them is loaded only when a collector is configured.
export { startTracing } from './start-tracing.ts';
export { type TraceCaller, traceCallerOf, type TraceContext, traceContextOf, traceHeaders } from './trace-context.ts';
export { isTracing, type Span, type SpanAttributes, spanChannel, traced, tracedUntil } from './tracing.ts';

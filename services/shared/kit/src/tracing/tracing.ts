// Where spans begin and end. The code says so on a diagnostics channel of Node; a subscriber records it (otel.ts), and while there is
// none a span costs one look at a flag.
import { tracingChannel, type TracingChannel } from 'node:diagnostics_channel';
import type { TraceCaller, TraceContext } from './trace-context.ts';

/** Attributes of a span. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** What goes over the channel, one object for each span from its begin to its end. */
export interface Span {
  /** may become more telling until the end */
  name: string;
  kind: 'server' | 'client' | 'producer' | 'internal';
  attributes: SpanAttributes;
  /** the part of a trace that another process began; undefined: the span around this one */
  caller?: TraceCaller | undefined;
  /** a trace of its own: what serves many callers at once is a part of none of them */
  root?: boolean;
  /** recorded only as a part of another span: checks of a server's health belong to no call */
  withinOnly?: boolean;
  /** set at the begin by who records: what is passed on to other processes */
  trace?: TraceContext;
  /** set before the end */
  outcome?: SpanAttributes;
  error?: unknown;
}

/** Where spans are announced; nobody listens while traces are off. */
export const spanChannel: TracingChannel<unknown, Span> = tracingChannel<unknown, Span>('parley:span');

/** Whether somebody records spans. */
export const isTracing = (): boolean => spanChannel.start.hasSubscribers;

/** Runs `work` within a span. `work` gets the span when it is recorded. */
export function traced<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span?: Span) => Promise<T>,
  more: Partial<Pick<Span, 'kind' | 'caller' | 'root'>> = {},
): Promise<T> {
  if (!isTracing()) return work();
  const span: Span = { name, kind: 'internal', attributes, ...more };
  return spanChannel.tracePromise(() => work(span), span);
}

/** A span that ends by a call instead of a promise. `work` runs at once, and what it calls is within the span. */
export function tracedUntil(span: Span, work: () => void): (outcome: SpanAttributes, error?: unknown) => void {
  if (!isTracing()) {
    work();
    return () => {};
  }
  spanChannel.start.runStores(span, work);
  return (outcome, error) => {
    span.outcome = outcome;
    if (error !== undefined) {
      span.error = error;
      spanChannel.error.publish(span);
    }
    spanChannel.asyncEnd.publish(span);
  };
}

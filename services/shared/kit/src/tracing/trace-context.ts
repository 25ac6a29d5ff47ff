// W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/): one trace id through every service that a call passes.
import { randomBytes } from 'node:crypto';

/** The trace of a request, as `traceparent` of W3C carries it. */
export interface TraceContext {
  /** 32 hexadecimal digits, the same in all services that one call passes */
  traceId: string;
  /** 16 hexadecimal digits, of this service's part of the call */
  spanId: string;
  /** two hexadecimal digits; bit 0: the caller has recorded its part */
  flags: string;
  /** the caller's `tracestate`, passed on as it came; undefined when the trace begins here */
  state: string | undefined;
}

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** What has to be passed on (§3.3.1.5); a longer one is dropped whole. */
const STATE_MAX = 512;
const NOT_RECORDED = '00';

/** The part of a trace that the caller is. */
export interface TraceCaller {
  traceId: string;
  spanId: string;
  flags: string;
  state: string | undefined;
}

/** undefined: no `traceparent`, or what is none. */
export function traceCallerOf(traceparent: string | undefined, tracestate?: string): TraceCaller | undefined {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  // Version 00 ends with the flags; what a later one adds is not known and not passed on.
  if (!traceId || !spanId || !flags || (version === '00' && more !== undefined)) return undefined;
  return { traceId, spanId, flags, state: tracestate && tracestate.length <= STATE_MAX ? tracestate : undefined };
}

/** The caller's trace with a part of its own; a new trace when there is no caller. */
export function traceContextOf(caller: TraceCaller | undefined): TraceContext {
  const spanId = randomBytes(8).toString('hex');
  return caller ? { ...caller, spanId } : { traceId: randomBytes(16).toString('hex'), spanId, flags: NOT_RECORDED, state: undefined };
}

/** Headers of a call that this service makes for the one it got. */
export function traceHeaders({ traceId, spanId, flags, state }: TraceContext): Record<string, string> {
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(state === undefined ? {} : { tracestate: state }) };
}

// What the gateway needs from outside: a service behind it that takes calls.
import type { Readable } from 'node:stream';
import type { HeaderValues } from './domain/headers.ts';

/** A call to pass on; `headers` are those that may go on, by names in lower case. */
export interface UpstreamCall {
  method: string;
  /** Path and query. */
  path: string;
  headers: HeaderValues;
  body: Readable | undefined;
  /** The caller is gone. */
  signal: AbortSignal;
}

/** The answer as it comes; `body` has to be read or destroyed. */
export interface UpstreamAnswer {
  status: number;
  headers: HeaderValues;
  body: Readable;
}

/** A service behind the gateway. */
export interface Upstream {
  /** Throws AppError overloaded, bad_gateway or gateway_timeout. */
  call(call: UpstreamCall): Promise<UpstreamAnswer>;
}

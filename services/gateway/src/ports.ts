// What the gateway needs from outside: a service behind it that takes calls.
import type { Readable } from 'node:stream';
import type { HeaderValues } from './domain/headers.ts';

export interface UpstreamCall {
  method: string;
  /** Path and query. */
  path: string;
  headers: HeaderValues;
  body: Readable | undefined;
  /** The caller is gone. */
  signal: AbortSignal;
}

export interface UpstreamAnswer {
  status: number;
  headers: HeaderValues;
  body: Readable;
}

export interface Upstream {
  /** Throws AppError overloaded, bad_gateway or gateway_timeout. */
  call(call: UpstreamCall): Promise<UpstreamAnswer>;
}

// What it means for the caller that a service did not answer.
import { AppError } from '@parley/kit/process';

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
/** The connection was refused or ended before an answer began. */
const NO_ANSWER = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT']);
/** Calls that change nothing may be made twice (RFC 9110 §9.2.1). */
const SAFE = new Set(['GET', 'HEAD']);

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

export function upstreamError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (TIMEOUTS.has(codeOf(error))) return new AppError('gateway_timeout', undefined, { cause: error });
  // Node took the request, but it cannot be sent on: a method or header that undici refuses.
  if (codeOf(error) === 'UND_ERR_INVALID_ARG') return new AppError('invalid_request', undefined, { cause: error });
  return new AppError('bad_gateway', undefined, { cause: error });
}

/** Once, and only where a second call cannot do anything a second time: a replica that goes away is not the caller's concern. */
export function mayRetry(call: { method: string; hasBody: boolean; tries: number }, error: unknown): boolean {
  return call.tries === 1 && SAFE.has(call.method) && !call.hasBody && NO_ANSWER.has(codeOf(error));
}

// Which headers pass the gateway. Names are in lower case, as Node gives them.

export type HeaderValues = Record<string, string | string[] | undefined>;

/** They belong to one connection, not to the message (RFC 9110 §7.6.1). `expect` is answered by this server itself. */
const HOP_BY_HOP = [
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** Said anew by the gateway, or a claim about the client that nobody behind it may believe. */
const FROM_CLIENT = [
  'forwarded',
  'host',
  'traceparent',
  'tracestate',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
];
/** Set by the gateway's own middleware. */
const FROM_SERVICE = ['x-request-id'];

interface Call {
  requestId: string;
  clientIp: string;
  /** `traceparent`, and `tracestate` when the caller gave one */
  trace: HeaderValues;
}

export function requestHeaders(given: HeaderValues, { requestId, clientIp, trace }: Call): HeaderValues {
  return { ...passing(given, FROM_CLIENT), 'x-request-id': requestId, 'x-forwarded-for': clientIp, ...trace };
}

/** CORS is answered here as well: a service's own word would contradict it. */
export function answerHeaders(given: HeaderValues): HeaderValues {
  const headers = passing(given, FROM_SERVICE);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('access-control-')));
}

function passing(given: HeaderValues, dropped: readonly string[]): HeaderValues {
  // Further headers of the connection are named in `connection`.
  const named = String(given['connection'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  const without = new Set([...HOP_BY_HOP, ...dropped, ...named]);
  return Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== undefined && !without.has(name)));
}

/** Whether the request has a body (RFC 9112 §6): only then is one forwarded. */
export function hasBody(headers: HeaderValues): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');
}

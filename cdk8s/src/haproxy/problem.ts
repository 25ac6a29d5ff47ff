// Answers that HAProxy gives itself, in the same problem+json shape as the services (RFC 9457). A cdk8s package does not import
// the services' packages, so the codes are repeated here; a unit test compares them with the protocol's table.

export const PROBLEMS = {
  400: { code: 'invalid_request', title: 'The request is not valid' },
  404: {
    code: 'not_found',
    title: 'Not found',
    detail: 'This port serves /api/ws, /api/health, the REST paths below /api/ and /test-client.html.',
  },
  408: { code: 'invalid_request', title: 'The request is not valid', detail: 'The request did not arrive in time.' },
  429: { code: 'rate_limited', title: 'Too many requests', detail: 'Too many new connections from this address. Retry after ten seconds.' },
  500: { code: 'internal', title: 'Internal error' },
  502: { code: 'bad_gateway', title: 'The service behind the gateway failed' },
  503: { code: 'unavailable', title: 'The service is not reachable at the moment', detail: 'No instance is ready. Retry after a second.' },
  504: { code: 'gateway_timeout', title: 'The service behind the gateway did not answer in time' },
} as const satisfies Record<number, { code: string; title: string; detail?: string }>;

/** `status … content-type … lf-string …` as both `http-error` and `http-request return` take it. `%[unique-id]` becomes the request's id. */
export function problem(status: keyof typeof PROBLEMS): string {
  const { code, title, ...rest } = PROBLEMS[status];
  const body = JSON.stringify({ type: `https://parley.dev/errors/${code}`, title, status, code, ...rest, request_id: '%[unique-id]' });
  return `status ${status} content-type application/problem+json lf-string '${body}'`;
}

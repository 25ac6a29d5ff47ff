// Answers that HAProxy gives itself, in the same problem+json shape as the services (RFC 9457).

const TITLES = {
  400: 'Bad request',
  404: 'Not found',
  408: 'Request timeout',
  429: 'Too many connections',
  500: 'Internal error',
  502: 'Bad gateway',
  503: 'Unavailable',
  504: 'Gateway timeout',
} as const;

const DETAILS: Partial<Record<keyof typeof TITLES, string>> = {
  404: 'This port serves /api/ws, /api/health and the REST paths below /api/.',
  429: 'Too many new connections from this address. Retry after ten seconds.',
  503: 'No instance is ready. Retry after a second.',
};

const CODES: Record<keyof typeof TITLES, string> = {
  400: 'bad_request',
  404: 'not_found',
  408: 'timeout',
  429: 'rate_limited',
  500: 'internal',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

type Status = keyof typeof TITLES;

/** `status … content-type … string …` as both `http-error` and `http-request return` take it. */
export function problem(status: Status): string {
  const detail = DETAILS[status];
  const body = JSON.stringify({ type: 'about:blank', title: TITLES[status], status, code: CODES[status], ...(detail ? { detail } : {}) });
  return `status ${status} content-type application/problem+json string '${body}'`;
}

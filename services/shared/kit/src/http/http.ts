// The express application every REST service starts from: request ids, client address, CORS, metrics, access log, problem+json.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { BODY_MAX_BYTES, ownOperations, type ErrorCodeName, type HealthAnswer, type Operations } from '@parley/protocol';
import { clientIp, type TrustedProxies } from './client-ip.ts';
import { AppError } from '../process/errors.ts';
import type { Log } from '../process/log.ts';
import { refuseOtherMethods } from './methods.ts';
import type { Metrics } from '../process/metrics.ts';
import { describeService } from './openapi.ts';
import { PROBLEM_TYPE, problemOf, toAppError } from './problem.ts';
import { LIMIT_HEADERS } from '../rate-limit/http.ts';
import { traceCallerOf, traceContextOf, type TraceContext } from '../tracing/trace-context.ts';
import { tracedUntil, type Span } from '../tracing/tracing.ts';

/** What the apps of all REST services have in common. */
export interface HttpOptions {
  service: string;
  log: Log;
  metrics: Metrics;
  trustedProxies: TrustedProxies;
  allowedOrigins: readonly string[];
  /** false for a gateway that passes bodies on as they come */
  parseJson?: boolean;
  health: () => HealthAnswer;
  /** What the service offers: for its OpenAPI document, and for the methods of each path. */
  operations: Operations;
  /** Codes that any of them may be refused with beside its own. */
  everywhere?: readonly ErrorCodeName[];
  /** Adds the service's routes. */
  routes: (app: Express) => void;
}

/** What the middleware leaves for handlers. */
export interface RequestContext {
  requestId: string;
  clientIp: string;
  trace: TraceContext;
}

const ALLOWED_HEADERS = 'Authorization, Content-Type, X-API-Key, Idempotency-Key, X-Request-Id, Traceparent, Tracestate';
const REQUEST_ID = /^[A-Za-z0-9._-]{1,100}$/;

/** The id and the trace of a request under way. */
export function contextOf(response: Response): RequestContext {
  return response.locals as RequestContext;
}

/** An app with request ids, limits of bodies, CORS, metrics and problems as JSON (RFC 9457); routes are added to it. */
export function createHttpApp(options: HttpOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(observe(options));
  app.use(cors(options.allowedOrigins));
  app.get('/api/health', (_request, response) => {
    const answer = options.health();
    response.status(answer.status === 'ok' ? 200 : 503).json(answer);
  });
  addDescription(app, options);
  app.use(refuseOtherMethods({ ...ownOperations, ...options.operations }));
  if (options.parseJson !== false) app.use(express.json({ limit: BODY_MAX_BYTES, strict: true }));
  options.routes(app);
  app.use(() => {
    throw new AppError('not_found', 'There is nothing at this path');
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    const known = toAppError(error);
    const { requestId, trace } = contextOf(response);
    if (known.code === 'internal') options.log.error({ err: error, request_id: requestId, trace_id: trace.traceId }, 'request failed');
    if (response.headersSent) return next(error);
    sendProblem(response, known);
  });
  return app;
}

/** Made at the first call: most processes are never asked. */
function addDescription(app: Express, { service, operations, everywhere = [], health }: HttpOptions): void {
  let text: string | undefined;
  app.get(ownOperations.openapi.path, (_request, response) => {
    text ??= JSON.stringify(describeService({ service, version: health().version, operations, everywhere }));
    response.type('json').send(text);
  });
}

/** Answers with a problem; headers that belong to it are set, too. */
export function sendProblem(response: Response, error: AppError): void {
  if (error.retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(error.retryAfterMs / 1000));
  if (error.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  response
    .status(error.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(error, contextOf(response).requestId)));
}

function observe({ service, log, metrics, trustedProxies }: HttpOptions) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const started = performance.now();
    const given = request.get('x-request-id');
    const caller = traceCallerOf(request.get('traceparent'), request.get('tracestate'));
    const context: RequestContext = {
      requestId: given && REQUEST_ID.test(given) ? given : randomUUID(),
      clientIp: clientIp(request.socket.remoteAddress ?? '', request.get('x-forwarded-for'), trustedProxies),
      trace: traceContextOf(caller),
    };
    Object.assign(response.locals, context);
    response.setHeader('X-Request-Id', context.requestId);
    const span: Span = { name: request.method, kind: 'server', attributes: { 'http.request.method': request.method }, caller };
    const end = tracedUntil(span, () => {
      if (span.trace) (response.locals as RequestContext).trace = context.trace = span.trace;
      next();
    });
    response.on('close', () => {
      // The route pattern, not the path: paths carry ids and would make a time series each.
      const route = (request.route as { path?: string } | undefined)?.path ?? 'unmatched';
      const seconds = (performance.now() - started) / 1000;
      metrics.httpRequests.inc({ service, method: request.method, route, status: String(response.statusCode) });
      metrics.httpDuration.observe({ service, method: request.method, route }, seconds);
      span.name = `${request.method} ${route}`;
      const outcome = { 'http.route': route, 'http.response.status_code': response.statusCode, 'parley.request_id': context.requestId };
      end(outcome, response.statusCode >= 500 ? `status ${response.statusCode}` : undefined);
      log.debug(
        {
          method: request.method,
          path: request.path,
          status: response.statusCode,
          ms: Math.round(seconds * 1e6) / 1000,
          ip: context.clientIp,
          request_id: context.requestId,
          trace_id: context.trace.traceId,
        },
        'request',
      );
    });
  };
}

function cors(allowedOrigins: readonly string[]) {
  const allowed = new Set(allowedOrigins);
  return (request: Request, response: Response, next: NextFunction): void => {
    const origin = request.get('origin');
    if (origin === undefined || !allowed.has(origin)) return next();
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Vary', 'Origin');
    response.setHeader('Access-Control-Expose-Headers', ['X-Request-Id', 'Retry-After', ...LIMIT_HEADERS].join(', '));
    if (request.method !== 'OPTIONS') return next();
    response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PATCH, DELETE');
    response.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS);
    response.setHeader('Access-Control-Max-Age', '600');
    response.status(204).end();
  };
}

/** A listening server and its orderly end. */
export interface HttpServer {
  port: number;
  /** Stops accepting, lets requests in flight finish, then closes. */
  close(): Promise<void>;
}

/** Listens; resolves with the port, rejects when it is taken. */
export async function listen(app: Express, { host, port }: { host: string; port: number }): Promise<HttpServer> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 }, app);
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      // A connection whose request ends now is kept alive by Node and would hold the end up for keepAliveTimeout.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      await closed;
      clearInterval(idle);
    },
  };
}

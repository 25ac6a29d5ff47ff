// Passes calls on: headers by the table in domain/headers, bodies in both directions as they come.
import { pipeline } from 'node:stream/promises';
import { contextOf } from '@parley/kit/http';
import { AppError, messageOf, type Log } from '@parley/kit/process';
import { traced, traceHeaders } from '@parley/kit/tracing';
import type { Express, Request, RequestHandler, Response } from 'express';
import { answerHeaders, hasBody, requestHeaders } from '../domain/headers.ts';
import { routes, type UpstreamName } from '../domain/routes.ts';
import type { Upstream, UpstreamAnswer } from '../ports.ts';
import { limitedBody } from './body-limit.ts';
import { guardByAddress, guardByUser, type RequestLimit } from './request-guard.ts';

export interface GatewayRoutes {
  /** undefined: this installation has none, and its routes do not exist. */
  upstreams: Record<UpstreamName, Upstream | undefined>;
  requireUser: RequestHandler;
  limit: RequestLimit;
  log: Log;
}

export function addGatewayRoutes(app: Express, { upstreams, requireUser, limit, log }: GatewayRoutes): void {
  for (const { path, upstream: name, token } of routes) {
    const upstream = upstreams[name];
    if (upstream) app.all(path, token ? guardByUser(requireUser, limit) : guardByAddress(limit), forward({ name, upstream }, log));
  }
}

interface NamedUpstream {
  name: UpstreamName;
  upstream: Upstream;
}

function forward(to: NamedUpstream, log: Log) {
  return async (request: Request, response: Response): Promise<void> => {
    // The absolute form is for proxies that clients choose (RFC 9112 §3.2.2); this is none.
    if (!request.originalUrl.startsWith('/')) throw new AppError('invalid_request', 'Send a path');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await call(to, { request, response, signal: gone.signal });
    if (!answer) return;
    try {
      response.status(answer.status);
      for (const [name, value] of Object.entries(answerHeaders(answer.headers))) if (value !== undefined) response.setHeader(name, value);
      // At once: the first part of the body may be long in coming.
      response.flushHeaders();
      await pipeline(answer.body, response);
    } catch (error) {
      // The status is on its way: only a cut connection can still tell that the answer is not complete.
      if (!gone.signal.aborted) log.warn({ path: request.path, reason: messageOf(error) }, 'the answer of a service broke off');
      answer.body.destroy();
      response.destroy();
    }
  };
}

/** undefined: the client is gone, there is nobody to answer. */
async function call(
  { name, upstream }: NamedUpstream,
  { request, response, signal }: { request: Request; response: Response; signal: AbortSignal },
): Promise<UpstreamAnswer | undefined> {
  const body = hasBody(request.headers) ? limitedBody(request) : undefined;
  const context = contextOf(response);
  const { method, originalUrl: path } = request;
  const attributes = { 'http.request.method': method, 'peer.service': name };
  try {
    return await traced(
      `call ${name}`,
      attributes,
      (span) => {
        const headers = requestHeaders(request.headers, { ...context, trace: traceHeaders(span?.trace ?? context.trace) });
        return upstream.call({ method, path, headers, body, signal });
      },
      { kind: 'client' },
    );
  } catch (error) {
    body?.destroy();
    if (signal.aborted) return undefined;
    throw error;
  }
}

// The real transport. @kubernetes/client-node finds the server and the credentials; requests go through one keep-alive agent of our
// own, because the library opens a TLS connection for each call (research: operators §4.2).
import { Agent, request as httpsRequest, type RequestOptions as HttpsOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiError, type KubeTransport, type Method, type RequestOptions } from './transport.ts';

const REQUEST_TIMEOUT_MS = 15_000;
/** From the first byte to the last: a body that trickles never looks idle. */
const ANSWER_WITHIN_MS = 60_000;

export interface ClientOptions {
  /** told of each call, for metrics */
  onCall?: (method: Method, status: number) => void;
  /** longest time for the body of an answer that is no watch */
  answerWithinMs?: number;
}

/** Connects by the pod's service account, KUBECONFIG or ~/.kube/config, in the library's order. */
export function kubeClient(
  { onCall = () => {}, answerWithinMs = ANSWER_WITHIN_MS }: ClientOptions = {},
  config = defaultConfig(),
): KubeTransport {
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new Error('no Kubernetes API server is configured: neither a service account nor a kubeconfig was found');
  const base = new URL(server);
  let agent: { key: string; agent: Agent } | undefined;

  /** Credentials are read anew each time: bound tokens rotate. The agent lives until certificates change. */
  const settings = async (): Promise<HttpsOptions> => {
    const options: HttpsOptions = { headers: {} };
    await config.applyToHTTPSOptions(options);
    const key = JSON.stringify([options.ca, options.cert, options.key]);
    if (agent?.key !== key) {
      agent?.agent.destroy();
      agent = {
        key,
        agent: new Agent({
          keepAlive: true,
          maxSockets: 20,
          ca: options.ca,
          cert: options.cert,
          key: options.key,
          rejectUnauthorized: options.rejectUnauthorized ?? true,
        }),
      };
    }
    return { headers: options.headers ?? {}, agent: agent.agent, ...(options.auth ? { auth: options.auth } : {}) };
  };

  const send = async (
    method: Method,
    path: string,
    { query = {}, body, contentType }: RequestOptions,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> => {
    const url = new URL(base.pathname.replace(/\/$/, '') + path, base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const { headers, ...rest } = await settings();
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(url, {
        ...rest,
        method,
        ...(signal ? { signal } : { timeout: REQUEST_TIMEOUT_MS }),
        headers: {
          ...(headers as Record<string, string>),
          accept: 'application/json',
          ...(payload === undefined
            ? {}
            : { 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(payload) }),
        },
      });
      outgoing.on('response', (response) => {
        onCall(method, response.statusCode ?? 0);
        resolve(response);
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`the API server did not answer within ${REQUEST_TIMEOUT_MS / 1000} s`)));
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  };

  return {
    async request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
      const response = await send(method, path, options);
      const text = await textWithin(response, answerWithinMs);
      if ((response.statusCode ?? 0) >= 400) throw apiError(response, text, `${method} ${path}`);
      return JSON.parse(text) as T;
    },
    async *stream(path, query, signal) {
      const response = await send('GET', path, { query }, signal);
      if ((response.statusCode ?? 0) >= 400) throw apiError(response, await textOf(response), `GET ${path}`);
      try {
        yield* createInterface({ input: response, crlfDelay: Infinity });
      } finally {
        // Left early (an ERROR line): the connection would stay open, and its end would come as an error that nobody catches.
        response.destroy();
      }
    },
  };
}

function defaultConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

async function textWithin(response: IncomingMessage, ms: number): Promise<string> {
  const late = setTimeout(() => response.destroy(new Error(`the API server did not end its answer within ${ms / 1000} s`)), ms);
  try {
    return await textOf(response);
  } finally {
    clearTimeout(late);
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function apiError({ statusCode: status = 0, headers }: IncomingMessage, text: string, call: string): ApiError {
  // The API server sends seconds, never a date.
  const retryAfterMs = Math.max(0, Number(headers['retry-after'] ?? 0) * 1000) || 0;
  try {
    const { message, reason } = JSON.parse(text) as { message?: string; reason?: string };
    return new ApiError(status, reason ?? 'Unknown', message ?? text, retryAfterMs);
  } catch {
    // Of a kind that it does not know, or of something between: a page, which does not say what was asked.
    return new ApiError(status, 'Unknown', `${call}: ${text.trim().slice(0, 500) || `status ${status}`}`, retryAfterMs);
  }
}

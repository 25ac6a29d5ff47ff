// Sends one body to one URL: no redirects, five seconds for everything, public addresses only.
import http from 'node:http';
import https from 'node:https';
import { messageOf } from '@parley/kit/process';
import type { Outcome } from './plan.ts';
import type { WebhookSender } from './ports.ts';
import { isPublic, literalOf, publicLookup } from './public-address.ts';

export const ATTEMPT_TIMEOUT_MS = 5000;
const USER_AGENT = 'Parley-Webhooks/1';

export function httpSender({
  allowPrivate,
  timeoutMs = ATTEMPT_TIMEOUT_MS,
}: {
  allowPrivate: boolean;
  timeoutMs?: number;
}): WebhookSender & {
  close: () => void;
} {
  const settings = { keepAlive: true, maxFreeSockets: 2, scheduling: 'lifo' } as const;
  const agents = { 'http:': new http.Agent(settings), 'https:': new https.Agent(settings) };
  return {
    async send({ url, body, headers, signal }) {
      const target = URL.canParse(url) ? new URL(url) : undefined;
      if (!target || !isSchemed(target)) return { delivered: false, error: 'not an http or https URL' };
      const literal = literalOf(target);
      if (!allowPrivate && literal !== undefined && !isPublic(literal))
        return { delivered: false, error: `${literal} is not a public address` };
      // A timer of our own: of AbortSignal.any([signal, AbortSignal.timeout()]) nothing holds the time-out, and Node may collect it
      // before it fires. The attempt would then wait for ever.
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMs);
      try {
        return await post(target, {
          agent: agents[target.protocol],
          body,
          headers: { ...headers, 'user-agent': USER_AGENT, 'content-length': String(Buffer.byteLength(body)) },
          signal: AbortSignal.any([signal, late.signal]),
          lookup: allowPrivate ? undefined : publicLookup,
        });
      } catch (error) {
        return { delivered: false, error: late.signal.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error) };
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

const isSchemed = (url: URL): url is URL & { protocol: 'http:' | 'https:' } => url.protocol === 'http:' || url.protocol === 'https:';

interface Post {
  agent: http.Agent;
  body: string;
  headers: Record<string, string>;
  signal: AbortSignal;
  lookup: typeof publicLookup | undefined;
}

function post(target: URL, { agent, body, headers, signal, lookup }: Post): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { request } = target.protocol === 'https:' ? https : http;
    const call = request(target, { method: 'POST', agent, headers, signal, ...(lookup ? { lookup } : {}) }, (answer) => {
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve({ delivered: true });
      else
        resolve({
          delivered: false,
          status,
          error: status >= 300 && status < 400 ? `answer ${status}: redirects are not followed` : `answer ${status}`,
        });
      // The status is the answer. A body that does not end at once costs the connection, not this worker's memory.
      answer.on('error', () => undefined);
      answer.on('data', () => answer.destroy());
    });
    call.on('error', reject);
    call.end(body);
  });
}

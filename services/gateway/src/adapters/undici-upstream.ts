// The Upstream port: one pool of kept connections to one service, with time limits on everything.
import { AppError, messageOf, type Log } from '@parley/kit/process';
import { Pool } from 'undici';
import { mayRetry, upstreamError } from '../domain/failure.ts';
import type { Upstream, UpstreamAnswer, UpstreamCall } from '../ports.ts';

export interface UpstreamOptions {
  name: string;
  url: string;
  connectTimeoutMs: number;
  timeoutMs: number;
  requestsMax: number;
  log: Log;
}

export interface RunningUpstream extends Upstream {
  close(): Promise<void>;
}

/** Connections are opened as needed: a call that waits for a slow one would wait longer than for a new one. */
const CONNECTIONS_MAX = 128;

export function undiciUpstream({ name, url, connectTimeoutMs, timeoutMs, requestsMax, log }: UpstreamOptions): RunningUpstream {
  const { origin, pathname } = new URL(url);
  const base = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  let inFlight = 0;

  async function send({ method, path, headers, body, signal }: UpstreamCall): Promise<UpstreamAnswer> {
    const request = { method, path: base + path, headers, body: body ?? null, signal };
    for (let tries = 1; ; tries++) {
      try {
        const answer = await pool.request(request);
        return { status: answer.statusCode, headers: answer.headers, body: answer.body };
      } catch (error) {
        if (signal.aborted || !mayRetry({ method, hasBody: body !== undefined, tries }, error)) throw error;
        log.debug({ upstream: name, reason: messageOf(error) }, 'asking again');
      }
    }
  }

  return {
    async call(call) {
      if (inFlight >= requestsMax) throw new AppError('overloaded', undefined, { retryAfterMs: 1000 });
      inFlight++;
      // Until the answer's last byte: a slow reader holds a connection as well.
      const done = () => void inFlight--;
      try {
        const answer = await send(call);
        answer.body.once('close', done);
        // Whoever reads it hears of it too; nobody does in the moment before.
        answer.body.on('error', () => undefined);
        return answer;
      } catch (error) {
        done();
        if (!call.signal.aborted) log.warn({ upstream: name, path: call.path.split('?', 1)[0], reason: messageOf(error) }, 'no answer');
        throw upstreamError(error);
      }
    },
    close: () => pool.close(),
  };
}

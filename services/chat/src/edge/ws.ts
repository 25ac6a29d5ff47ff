// The only file that sees uWebSockets.js: upgrade, socket events, /api/health. Each handler is synchronous and catches everything,
// because a throw in a native callback ends the process.
import { randomUUID } from 'node:crypto';
import uWS, { type HttpRequest, type HttpResponse, type TemplatedApp, type us_socket_context_t, type WebSocket } from 'uWebSockets.js';
import { closeCodes, FRAME_HARD_MAX_BYTES, type HealthAnswer } from '@parley/protocol';
import { messageOf, type Health, type Log } from '@parley/kit';
import { receive, startAuthentication, wrongFrame } from '../commands/dispatch.ts';
import { leave } from '../commands/join-room.ts';
import type { ChatContext } from '../context.ts';
import { Session, type SocketData } from '../session.ts';
import { CLOSE_ON_BACKPRESSURE, closeApp, listenExclusively, type Listener } from './uws.ts';

/** A socket whose unsent bytes pass this bound is closed; it resumes by seq. */
const BACKPRESSURE_MAX_BYTES = 64 * 1024;
/** Seconds without a frame or pong after which a half-open connection is dropped; pings go out by themselves before. */
const IDLE_TIMEOUT_SECONDS = 60;

export interface EdgeOptions {
  health: Health;
  log: Log;
  maxConnections: number;
  allowedOrigins: ReadonlySet<string>;
  healthAnswer: () => HealthAnswer;
  /** The context exists only after the edge, because the registry publishes through the edge. */
  context: () => ChatContext;
}

export class WsEdge {
  readonly app: TemplatedApp = uWS.App();
  readonly sessions = new Set<Session>();
  readonly #options: EdgeOptions;
  #listener: Listener | undefined;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.app.ws<SocketData>('/api/ws', {
      maxPayloadLength: FRAME_HARD_MAX_BYTES,
      maxBackpressure: BACKPRESSURE_MAX_BYTES,
      closeOnBackpressureLimit: CLOSE_ON_BACKPRESSURE,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
      compression: uWS.DISABLED,
      upgrade: (response, request, context) => this.#guard('upgrade', () => this.#upgrade(response, request, context)),
      open: (ws) => this.#guard('open', () => this.#open(ws)),
      message: (ws, data, isBinary) => this.#guard('message', () => this.#message(ws, data, isBinary)),
      close: (ws, code) => this.#guard('close', () => this.#close(ws, code)),
    });
    this.app.get('/api/health', (response) => this.#guard('health', () => this.#health(response)));
    this.app.any('/*', (response) =>
      this.#guard('other', () => answer(response, '404 Not Found', { code: 'not_found', status: 404, title: 'Not found' })),
    );
  }

  /** Delivers one encoded frame to every socket of a topic. Frames published in one turn share a write per socket. */
  publish(topic: string, frame: Buffer): void {
    this.app.publish(topic, frame, false);
    this.#options.context().metrics.sent.inc(this.app.numSubscribers(topic));
  }

  /** Resolves with the port. */
  async listen(host: string, port: number): Promise<number> {
    this.#listener = await listenExclusively(this.app, host, port);
    return this.#listener.port;
  }

  stopAccepting(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  close(): void {
    closeApp(this.app);
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const { health, maxConnections, allowedOrigins } = this.#options;
    const origin = request.getHeader('origin');
    if (origin !== '' && !allowedOrigins.has(origin))
      return answer(response, '403 Forbidden', { code: 'forbidden', status: 403, title: 'This origin is not allowed' });
    if (health.draining || this.sessions.size >= maxConnections) {
      const code = health.draining ? 'draining' : 'overloaded';
      return answer(response, '503 Service Unavailable', {
        code,
        status: 503,
        title: 'No more connections on this instance',
        retry_after_ms: 1000,
      });
    }
    const bearer = /^Bearer (\S+)$/i.exec(request.getHeader('authorization'))?.[1];
    const token = bearer ?? (request.getQuery('token') || undefined);
    response.upgrade(
      { session: new Session(randomUUID(), token, Date.now()) },
      request.getHeader('sec-websocket-key'),
      '', // a subprotocol is neither asked for nor given
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #open(ws: WebSocket<SocketData>): void {
    const session = ws.getUserData().session;
    session.ws = ws;
    this.sessions.add(session);
    const token = session.upgradeToken;
    session.upgradeToken = undefined;
    if (token !== undefined) startAuthentication(this.#options.context(), session, token);
  }

  /** The buffer belongs to the native side and is gone after this call, so its text is taken at once. */
  #message(ws: WebSocket<SocketData>, data: ArrayBuffer, isBinary: boolean): void {
    const context = this.#options.context();
    const session = ws.getUserData().session;
    context.metrics.received.inc();
    if (data.byteLength > context.frameMaxBytes) return session.end(closeCodes.too_large);
    if (isBinary) return wrongFrame(context, session, { path: '', message: 'binary frames are not understood; send text' });
    receive(context, session, Buffer.from(data).toString('utf8'));
  }

  #close(ws: WebSocket<SocketData>, code: number): void {
    const context = this.#options.context();
    const session = ws.getUserData().session;
    session.state = 'closed';
    session.ws = undefined;
    this.sessions.delete(session);
    context.metrics.closed.inc({ code: String(code) });
    for (const roomId of [...(session.rooms?.keys() ?? [])]) leave(context, session, roomId);
  }

  #health(response: HttpResponse): void {
    const health = this.#options.healthAnswer();
    answer(response, health.status === 'ok' ? '200 OK' : '503 Service Unavailable', health, 'application/json');
  }

  #guard(handler: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.log.error({ handler, reason: messageOf(error), err: error }, 'a socket handler failed');
    }
  }
}

function answer(response: HttpResponse, status: string, body: object, type = 'application/problem+json'): void {
  response.cork(() => {
    response.writeStatus(status).writeHeader('Content-Type', type).end(JSON.stringify(body));
  });
}

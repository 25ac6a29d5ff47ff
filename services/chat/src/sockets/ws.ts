// The listening socket: upgrade, socket events, /api/health. Each handler is synchronous and catches everything,
// because a throw in a native callback ends the process.
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { closeCodes, errorCodes, FRAME_HARD_MAX_BYTES, type ErrorCodeName, type HealthAnswer } from '@parley/protocol';
import { PROBLEM_TYPE, problemOf } from '@parley/kit/http';
import { AppError, messageOf, type Health, type Log } from '@parley/kit/process';
import { isTracing, traceCallerOf } from '@parley/kit/tracing';
import { signOff } from '../commands/authenticate.ts';
import { wrongFrame } from '../commands/answers.ts';
import { connected, receive } from '../commands/dispatch.ts';
import { leave } from '../commands/room-commands.ts';
import type { ChatContext } from '../context.ts';
import type { PagedLimits } from '../domain/paged-writer.ts';
import { Session, type Credential, type SocketData } from './session.ts';
import type { AdmissionControl } from './admission.ts';
import type { SocketTopics } from './topics.ts';
import { listenExclusively, uws, type Listener } from './uws.ts';

/** A socket whose unsent bytes pass this bound is closed; it resumes by seq. Twice the largest frame where that is more: see `sendPaged`. */
const BACKPRESSURE_MIN_BYTES = 64 * 1024;
/** Bytes of long answers that one socket gets in one turn of the event loop. */
const PAGED_TURN_BYTES = 512 * 1024;
/** Seconds without a frame or pong after which a half-open connection is dropped; pings go out by themselves before. */
const IDLE_TIMEOUT_SECONDS = 60;

const WEBSOCKET_VERSION = '13';

export interface EdgeOptions {
  health: Health;
  log: Log;
  admission: AdmissionControl;
  topics: SocketTopics;
  /** the open sockets; kept up to date here */
  sessions: Set<Session>;
  /** sockets that read too slowly for ephemeral frames; a closed one leaves it */
  slow: Set<Session>;
  /** Another one for each start, so that a session id never comes twice. */
  incarnation: string;
  healthAnswer: () => HealthAnswer;
  context: ChatContext;
}

export class WsEdge {
  readonly sessions: ReadonlySet<Session>;
  framesReceived = 0;
  readonly #options: EdgeOptions;
  readonly #app: TemplatedApp;
  #sessionCount = 0;
  #listener: Listener | undefined;
  readonly #backpressureMax: number;
  readonly #pagedLimits: PagedLimits;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.sessions = options.sessions;
    this.#app = options.topics.app;
    this.#backpressureMax = Math.max(BACKPRESSURE_MIN_BYTES, 2 * options.context.frameMaxBytes);
    // The other half is for what comes live in rooms that are joined already.
    this.#pagedLimits = { bufferedMax: this.#backpressureMax / 2, turnMax: PAGED_TURN_BYTES };
    this.#app.ws<SocketData>('/api/ws', {
      maxPayloadLength: FRAME_HARD_MAX_BYTES,
      maxBackpressure: this.#backpressureMax,
      closeOnBackpressureLimit: true,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
      compression: uws().DISABLED,
      upgrade: (response, request, context) => this.#guard('upgrade', () => this.#upgrade(response, request, context)),
      open: (ws) => this.#guard('open', () => this.#open(ws)),
      message: (ws, data, isBinary) => this.#guard('message', () => this.#message(ws, data, isBinary)),
      dropped: (ws) => this.#guard('dropped', () => (ws.getUserData().session.passedBound = true)),
      drain: (ws) => this.#guard('drain', () => ws.getUserData().session.goOn()),
      close: (ws, code) => this.#guard('close', () => this.#close(ws, code)),
    });
    this.#app.get('/api/health', (response) => this.#guard('health', () => this.#health(response)));
    this.#app.any('/*', (response) => this.#guard('other', () => refuse(response, 'not_found')));
  }

  /** Resolves with the port. */
  async listen(host: string, port: number): Promise<number> {
    this.#listener = await listenExclusively(this.#app, host, port);
    return this.#listener.port;
  }

  stopAccepting(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  close(): void {
    this.#app.close();
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const { health, admission } = this.#options;
    if (!isWebSocket(request)) return refuse(response, 'upgrade_required');
    const admitted = admission.decide({
      origin: request.getHeader('origin'),
      peer: Buffer.from(response.getRemoteAddressAsText()).toString(),
      forwardedFor: request.getHeader('x-forwarded-for'),
      draining: health.draining,
      connections: this.sessions.size,
    });
    if (!admitted.ok) return refuse(response, admitted.code, admitted.detail);
    const session = new Session({
      id: `${this.#options.incarnation}-${(++this.#sessionCount).toString(36)}`,
      address: admitted.address,
      credential: credentialOf(request),
      nowMs: Date.now(),
      pagedLimits: this.#pagedLimits,
    });
    response.upgrade(
      { session },
      request.getHeader('sec-websocket-key'),
      '', // a subprotocol is neither asked for nor given
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #open(ws: WebSocket<SocketData>): void {
    const { context, sessions, admission } = this.#options;
    const session = ws.getUserData().session;
    session.attach(ws);
    sessions.add(session);
    admission.opened(session.address);
    connected(context, session);
  }

  /** The buffer belongs to the native side and is gone after this call, so its text is taken at once. */
  #message(ws: WebSocket<SocketData>, data: ArrayBuffer, isBinary: boolean): void {
    const { context } = this.#options;
    const session = ws.getUserData().session;
    this.framesReceived++;
    if (data.byteLength > context.frameMaxBytes) return session.end(closeCodes.too_large);
    if (isBinary) return wrongFrame(context, session, { path: '', message: 'binary frames are not understood; send text' });
    receive(context, session, Buffer.from(data).toString('utf8'));
  }

  #close(ws: WebSocket<SocketData>, code: number): void {
    const { context, sessions, slow, admission } = this.#options;
    const session = ws.getUserData().session;
    session.detach();
    sessions.delete(session);
    slow.delete(session);
    admission.closed(session.address);
    context.metrics.closed.inc({ code: String(session.passedBound ? closeCodes.slow_consumer.code : code) });
    for (const roomId of session.roomIds()) leave(context, session, roomId);
    session.dropPaged();
    signOff(context, session);
  }

  #health(response: HttpResponse): void {
    const health = this.#options.healthAnswer();
    answer(response, health.status === 'ok' ? '200 OK' : '503 Service Unavailable', health);
  }

  #guard(handler: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.log.error({ handler, reason: messageOf(error), err: error }, 'a socket handler failed');
    }
  }
}

/** The binding looks at the key only; RFC 6455 §4.2.1 asks for more. */
function isWebSocket(request: HttpRequest): boolean {
  return (
    request.getHeader('sec-websocket-version') === WEBSOCKET_VERSION &&
    request.getHeader('upgrade').toLowerCase() === 'websocket' &&
    /\bupgrade\b/i.test(request.getHeader('connection'))
  );
}

/** The seed's way, a browser's ticket, or a native client's header; none of them: the first frame. */
function credentialOf(request: HttpRequest): Credential | undefined {
  const bearer = /^Bearer (\S+)$/i.exec(request.getHeader('authorization'))?.[1];
  const token = bearer ?? request.getQuery('token');
  const caller = isTracing() ? traceCallerOf(request.getHeader('traceparent'), request.getHeader('tracestate')) : undefined;
  if (token) return { kind: 'token', value: token, caller };
  const ticket = request.getQuery('ticket');
  return ticket ? { kind: 'ticket', value: ticket, caller } : undefined;
}

function refuse(response: HttpResponse, code: ErrorCodeName, detail?: string): void {
  const { status, retryable } = errorCodes[code];
  const problem = problemOf(new AppError(code, detail, retryable ? { retryAfterMs: 1000 } : {}), randomUUID());
  response.cork(() => {
    response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`).writeHeader('Content-Type', PROBLEM_TYPE);
    if (code === 'upgrade_required') response.writeHeader('Upgrade', 'websocket').writeHeader('Sec-WebSocket-Version', WEBSOCKET_VERSION);
    response.end(JSON.stringify(problem));
  });
}

function answer(response: HttpResponse, status: string, body: object): void {
  response.cork(() => {
    response.writeStatus(status).writeHeader('Content-Type', 'application/json').end(JSON.stringify(body));
  });
}

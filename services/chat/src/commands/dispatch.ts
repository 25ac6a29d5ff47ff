// From the text of a frame to the command that runs it: parse, admit, run.
import { closeCodes, parseClientFrame, type ClientFrame } from '@parley/protocol';
import { messageOf } from '@parley/kit/process';
import type { ChatContext } from '../context.ts';
import type { Verdict } from '../limits/rate-budgets.ts';
import type { Credential, ReceivedFrame, Session } from '../sockets/session.ts';
import { admit, type Refusal } from './admit.ts';
import { sendError, tooFast, tooManyConnects, wrongFrame } from './answers.ts';
import { authenticate } from './authenticate.ts';
import { join } from './join-room.ts';
import { message } from './message.ts';
import { leaveRoom, read } from './room-commands.ts';
import { typing } from './typing.ts';

/** Handles one text frame. Synchronous up to the first read of the database or the limiter; never throws. */
export function receive(context: ChatContext, session: Session, text: string): void {
  const parsed = parseClientFrame(text);
  if (!parsed.ok) return wrongFrame(context, session, parsed);
  handle(context, session, { frame: parsed.frame, bytes: text.length });
}

function handle(context: ChatContext, session: Session, received: ReceivedFrame): void {
  const admission = admit(context, session, received);
  if (admission === 'run') return run(context, session, received.frame);
  if (admission === 'wait') return session.queue(received);
  if (!(admission instanceof Promise)) return refuse(context, session, admission);
  const decided = admission.then((verdict) => {
    if (verdict !== 'run') refuse(context, session, verdict);
    else if (session.state === 'open') run(context, session, received.frame);
  });
  decided.catch((error: unknown) => context.log.error({ reason: messageOf(error), err: error }, 'a frame that had waited failed'));
}

function refuse(context: ChatContext, session: Session, refusal: Refusal): void {
  if (refusal.kind === 'too fast') return tooFast(context, session, refusal.limit);
  sendError(context, session, refusal.code, refusal.details);
  if (refusal.ends) session.end(closeCodes.auth);
}

/** A socket has opened: whether its address may, and what it brought to prove who it is. */
export function connected(context: ChatContext, session: Session): void {
  const { credential } = session;
  session.credential = undefined;
  const begin = (verdict: Verdict) => {
    if (verdict !== 'go') tooManyConnects(context, session, verdict.retryAfterMs);
    else if (credential && session.state === 'pending') startAuthentication(context, session, credential);
  };
  const verdict = context.limits.connect.spend(session.address);
  if (verdict instanceof Promise) void verdict.then(begin);
  else begin(verdict);
}

/** Verifies a token or ticket and runs the frames that have waited for it; then a later token that came meanwhile. */
function startAuthentication(context: ChatContext, session: Session, credential: Credential): void {
  void authenticate(context, session, credential).then((waited) => {
    for (const received of waited) handle(context, session, received);
    const { nextToken } = session;
    session.nextToken = undefined;
    if (nextToken !== undefined && session.state === 'open') startAuthentication(context, session, { kind: 'token', value: nextToken });
  });
}

function run(context: ChatContext, session: Session, frame: ClientFrame): void {
  switch (frame.type) {
    case 'message':
      return message(context, session, frame);
    case 'ping':
      return session.send({ type: 'pong' });
    case 'typing':
      return typing(context, session, frame);
    case 'join_room':
      return void join(context, session, frame);
    case 'leave_room':
      return leaveRoom(context, session, frame);
    case 'read':
      return read(context, session, frame);
    case 'auth':
      if (session.verifying) session.nextToken = frame.token;
      else startAuthentication(context, session, { kind: 'token', value: frame.token });
  }
}

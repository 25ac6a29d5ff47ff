// From the text of a frame to the command that runs it.
import {
  closeCodes,
  parseClientFrame,
  PENDING_BYTES_MAX,
  PENDING_FRAMES_MAX,
  STRIKES_PER_MINUTE,
  type ClientFrame,
} from '@parley/protocol';
import type { ChatContext } from '../context.ts';
import { strike } from '../domain/strikes.ts';
import type { Credential, Session } from '../sockets/session.ts';
import { authenticate } from './authenticate.ts';
import { join } from './join-room.ts';
import { leave } from './leave-room.ts';
import { limited } from './limited.ts';
import { message } from './message.ts';
import { read } from './read.ts';
import { sendError } from './send-error.ts';
import { typing } from './typing.ts';

/** Handles one text frame. Synchronous up to the first read of the database; never throws. */
export function receive(context: ChatContext, session: Session, text: string): void {
  if (session.state === 'pending') return receivePending(context, session, text);
  const parsed = parseClientFrame(text);
  if (!parsed.ok) return wrongFrame(context, session, parsed);
  run(context, session, parsed.frame);
}

/** Before the token is verified only `auth` runs; the rest waits, bounded, and is never lost. */
function receivePending(context: ChatContext, session: Session, text: string): void {
  const parsed = parseClientFrame(text);
  if (!parsed.ok) return wrongFrame(context, session, parsed);
  if (parsed.frame.type === 'auth' && !session.verifying) {
    return startAuthentication(context, session, { kind: 'token', value: parsed.frame.token });
  }
  session.queued ??= [];
  session.queuedBytes += text.length;
  if (session.queued.length >= PENDING_FRAMES_MAX || session.queuedBytes > PENDING_BYTES_MAX) {
    sendError(context, session, 'unauthorized', { message: 'Too many frames before authentication' });
    return session.end(closeCodes.auth);
  }
  session.queued.push(text);
}

export function startAuthentication(context: ChatContext, session: Session, credential: Credential): void {
  const resume = (frames: readonly string[]): void => {
    for (const frame of frames) receive(context, session, frame);
  };
  void authenticate(context, session, credential, resume).then(() => {
    const { nextToken } = session;
    session.nextToken = undefined;
    if (nextToken !== undefined && session.state === 'open') startAuthentication(context, session, { kind: 'token', value: nextToken });
  });
}

/** A fresh token of a live socket. */
function renew(context: ChatContext, session: Session, token: string): void {
  if (session.verifying) session.nextToken = token;
  else startAuthentication(context, session, { kind: 'token', value: token });
}

/** Answers with what is wrong; too many of these close the socket. */
export function wrongFrame(context: ChatContext, session: Session, { path, message }: { path: string; message: string }): void {
  sendError(context, session, 'invalid_frame', { details: { path, message } });
  session.strikes = strike(session.strikes, Date.now());
  if (session.strikes.count >= STRIKES_PER_MINUTE) session.end(closeCodes.protocol);
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
      return join(context, session, frame);
    case 'leave_room':
      return limited(context, session, { kind: 'room_action', about: { room_id: frame.room_id } }, () => {
        leave(context, session, frame.room_id);
        session.send({ type: 'left', room_id: frame.room_id });
      });
    case 'read':
      return limited(context, session, { kind: 'room_action', about: { room_id: frame.room_id } }, () => read(context, session, frame));
    case 'auth':
      return renew(context, session, frame.token);
  }
}

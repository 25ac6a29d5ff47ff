// REST of a room's log: history, new messages, the read marker.
import { addRoute, identityOf } from '@parley/kit/http';
import { AppError } from '@parley/kit/process';
import { limitError, setLimitHeaders } from '@parley/kit/rate-limit';
import { messageOperations, type Entry, type MarkReadAnswer, type MessageList, type SendMessageBody } from '@parley/protocol';
import type { Express, Request, Response } from 'express';
import { announceReadMark } from '../announcements.ts';
import { planMessage } from '../domain/message-body.ts';
import { actorOf, type RouteContext } from './route-context.ts';

export function addMessageRoutes(app: Express, context: RouteContext): void {
  const { rooms } = context;
  const before = [context.requireUser];
  addRoute(app, {
    operation: messageOperations.listMessages,
    before,
    handle: async ({ params: { id }, query, response }) => {
      if (query.before_seq !== undefined && query.after_seq !== undefined)
        throw new AppError('invalid_request', '/query: give before_seq or after_seq, not both');
      const entries = await rooms.entries(identityOf(response).userId, id, { ...query, limit: query.limit + 1 });
      if (!entries) throw new AppError('not_a_member');
      return { body: { messages: entries.slice(0, query.limit), has_more: entries.length > query.limit } satisfies MessageList };
    },
  });
  addRoute(app, {
    operation: messageOperations.sendMessage,
    before,
    handle: ({ params: { id }, body, request, response }) => sendMessage(context, { roomId: id, body, request, response }),
  });
  addRoute(app, {
    operation: messageOperations.markRead,
    before: before,
    handle: async ({ params: { id }, body, response }) => {
      const mark = await rooms.markRead({ roomId: id, userId: identityOf(response).userId, seq: body.seq ?? Number.MAX_SAFE_INTEGER });
      if (mark.moved) await announceReadMark(context.announcer, mark, (limits) => rooms.memberIds(id, limits));
      const { roomId, lastReadSeq, unreadCount } = mark;
      return { body: { room_id: roomId, last_read_seq: lastReadSeq, unread_count: unreadCount } satisfies MarkReadAnswer };
    },
  });
}

interface Sending {
  roomId: string;
  body: SendMessageBody;
  request: Request;
  response: Response;
}

/** 200 instead of 201: this client id was stored before, and the answer is what was stored. */
async function sendMessage(context: RouteContext, { roomId, body, request, response }: Sending): Promise<{ status: number; body: Entry }> {
  const plan = planMessage(body, request.get('idempotency-key'), context.messageMaxBytes);
  if (!plan.ok) throw new AppError(plan.code, plan.detail);
  const sender = actorOf(response);
  // The bucket of the user's messages by socket: there is one limit, however they come.
  const limit = context.messageLimit;
  const decision = await context.limiter.take({ event: 'message', key: String(sender.id), limit });
  setLimitHeaders(response, 'message', limit, decision);
  if (!decision.allowed) throw limitError(decision, 'Too many messages');
  const { entry, duplicate } = await context.messages.append({
    roomId,
    sender,
    content: body.content,
    messageType: body.message_type ?? 'text',
    metadata: body.metadata ?? null,
    clientMsgId: plan.clientMsgId,
  });
  return { status: duplicate ? 200 : 201, body: entry };
}

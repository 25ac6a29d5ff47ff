// A message that comes by REST, checked like the frame of a socket.
import { contentProblem, utf8Bytes, type SendMessageBody } from '@parley/protocol';
import type { Refusal } from './permissions.ts';

const CLIENT_ID = /^[A-Za-z0-9_-]{1,64}$/;

export type MessagePlan = { ok: true; clientMsgId: string | undefined } | ({ ok: false } & Refusal);

/** `idempotencyKey`: the header, with or without the quotes of draft-ietf-httpapi-idempotency-key-header. */
export function planMessage(body: SendMessageBody, idempotencyKey: string | undefined, maxBytes: number): MessagePlan {
  if (utf8Bytes(body.content) > maxBytes) return refuse('message_too_large', `content has more than ${maxBytes} bytes`);
  const problem = contentProblem(body);
  if (problem) return refuse('invalid_request', `${problem.path}: ${problem.message}`);
  const key = idempotencyKey === undefined ? undefined : (/^"(.*)"$/.exec(idempotencyKey)?.[1] ?? idempotencyKey);
  if (key !== undefined && !CLIENT_ID.test(key))
    return refuse('invalid_request', 'Idempotency-Key: 1 to 64 characters of A-Z, a-z, 0-9, _ and -');
  if (key !== undefined && body.client_msg_id !== undefined && key !== body.client_msg_id)
    return refuse('invalid_request', 'Idempotency-Key and client_msg_id differ');
  return { ok: true, clientMsgId: body.client_msg_id ?? key };
}

function refuse(code: Refusal['code'], detail: string): MessagePlan {
  return { ok: false, code, detail };
}

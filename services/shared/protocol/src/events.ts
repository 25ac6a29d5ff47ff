// Events that other systems read from Kafka: CloudEvents 1.0, structured JSON.
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Entry } from './server-frames.ts';

/** Topic names are an interface: other systems subscribe to them. */
export const topics = { messages: 'chat.messages', rooms: 'chat.rooms', users: 'users' } as const;

export const cloudEvent = <T extends TSchema>(type: string, data: T) =>
  Type.Object({
    specversion: Type.Literal('1.0'),
    id: Type.String({ description: 'Dedupe key: room:seq for messages' }),
    source: Type.String(),
    type: Type.Literal(type),
    subject: Type.String(),
    time: Type.String(),
    datacontenttype: Type.Literal('application/json'),
    data,
  });

export const MessageCreated = cloudEvent('chat.message.created', Entry);
export type MessageCreated = Static<typeof MessageCreated>;

/** Payload of an outbox row of topic chat.messages: the entries of one room that one transaction committed. */
export const MessageRange = Type.Object({
  room_id: Type.String(),
  from_seq: Type.Integer({ minimum: 1 }),
  to_seq: Type.Integer({ minimum: 1 }),
});
export type MessageRange = Static<typeof MessageRange>;

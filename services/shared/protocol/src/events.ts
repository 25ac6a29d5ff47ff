// Events that other systems read from Kafka: CloudEvents 1.0, structured JSON.
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Entry } from './server-frames.ts';

/** Topic names are an interface: other systems subscribe to them. */
export const topics = { messages: 'chat.messages', rooms: 'chat.rooms', users: 'users' } as const;

/** Schema of a CloudEvent of a type, with its data. */
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

/** What every event of Parley says beside its data. `time` is RFC 3339 in UTC. */
export interface EventHead {
  /** Dedupe key: the same event may come more than once. */
  id: string;
  /** Which service tells: /parley/chat, /parley/core, /parley/auth. */
  source: string;
  /** What it is about: a room or a user. */
  subject: string;
  time: string;
}

/** An event in the envelope of {@link cloudEvent}; its fields are written in this order. */
export const inEnvelope = <E extends { type: string; data: object }>(
  { id, source, subject, time }: EventHead,
  type: E['type'],
  data: E['data'],
) => ({ specversion: '1.0', id, source, type, subject, time, datacontenttype: 'application/json', data }) as const;

/** An entry was stored. */
export const MessageCreated = cloudEvent('chat.message.created', Entry);
export type MessageCreated = Static<typeof MessageCreated>;

/** Payload of an outbox row of topic chat.messages: the entries of one room that one transaction committed. */
export const MessageRange = Type.Object({
  room_id: Type.String(),
  from_seq: Type.Integer({ minimum: 1 }),
  to_seq: Type.Integer({ minimum: 1 }),
});
export type MessageRange = Static<typeof MessageRange>;

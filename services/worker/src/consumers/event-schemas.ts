// Reads the value of a record: a boundary, so each event is checked by its schema before anything is done with it.
import { messageOf } from '@parley/kit/process';
import {
  InvitationAnswered,
  InvitationCreated,
  MemberJoined,
  MemberLeft,
  MemberRemoved,
  MessageCreated,
  RoomChanged,
  RoomCreated,
  topics,
  UserDisabled,
  UserRegistered,
  type RoomEvent,
  type UserEvent,
} from '@parley/protocol';
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';

export type KnownEvent = MessageCreated | RoomEvent | UserEvent;

type EventSchema = TSchema & { properties: { type: { const: string } } };

const schemas: Record<string, readonly EventSchema[]> = {
  [topics.messages]: [MessageCreated],
  [topics.rooms]: [RoomCreated, RoomChanged, MemberJoined, MemberLeft, MemberRemoved, InvitationCreated, InvitationAnswered],
  [topics.users]: [UserRegistered, UserDisabled],
};

const checks = new Map(
  Object.entries(schemas).map(([topic, list]) => [
    topic,
    new Map(list.map((schema) => [schema.properties.type.const, TypeCompiler.Compile(schema)])),
  ]),
);

/** Types of all events, and the topic each of them is in. */
export const eventTypes: ReadonlyMap<string, string> = new Map(
  [...checks].flatMap(([topic, types]) => [...types.keys()].map((type) => [type, topic] as const)),
);

/**
 * An event or why it is none. A type that this version does not know is no event either: it comes from a newer version, and as a dead
 * letter it can be replayed after the upgrade, while a record that was passed over would be gone.
 */
export function parseEvent(topic: string, value: Buffer | null): { event: KnownEvent; text: string } | { problem: string } {
  if (value === null) return { problem: 'the record has no value' };
  const text = value.toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { problem: `not JSON: ${messageOf(error)}` };
  }
  const type = (parsed as { type?: unknown } | null)?.type;
  if (typeof type !== 'string') return { problem: 'not a CloudEvent: it has no type' };
  const check = checks.get(topic)?.get(type);
  if (!check) return { problem: `no event of ${topic} has the type ${type.slice(0, 100)}` };
  if (check.Check(parsed)) return { event: parsed as KnownEvent, text };
  const first = check.Errors(parsed).First();
  return { problem: `not a valid ${type}: ${first?.path ?? ''} ${first?.message ?? ''}`.trim() };
}

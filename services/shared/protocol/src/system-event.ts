// What a system entry of a room's log tells, as its metadata. Replicas act on it when the entry's turn comes, so that a change of
// membership takes effect at one place in the order, the same for everybody.
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';

const UserId = Type.Integer({ minimum: 1 });

/** Schema of what a system entry says. */
export const SystemEvent = Type.Object({
  event: Type.Union(
    [
      Type.Literal('member_joined'),
      Type.Literal('member_left'),
      Type.Literal('member_removed'),
      Type.Literal('member_role'),
      Type.Literal('room_renamed'),
      Type.Literal('room_deleted'),
    ],
    { description: 'member_left, member_removed and room_deleted end the membership' },
  ),
  user_id: Type.Integer({ minimum: 1, description: 'Whom it is about' }),
  user_name: Type.String(),
  by: Type.Optional(UserId),
  name: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'New name of the room' })),
  role: Type.Optional(Type.Union([Type.Literal('admin'), Type.Literal('member')], { description: 'New role of the user' })),
});
export type SystemEvent = Static<typeof SystemEvent>;

const check = TypeCompiler.Compile(SystemEvent);

/** The event of an entry; undefined for messages and for metadata that this version does not know. */
export function systemEventOf(entry: { kind: string; metadata: unknown }): SystemEvent | undefined {
  return entry.kind === 'system' && check.Check(entry.metadata) ? entry.metadata : undefined;
}

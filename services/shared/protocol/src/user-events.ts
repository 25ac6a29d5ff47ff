// Events of topic users: what happens to user accounts. No e-mail address: topics are read by many and kept for long.
import { Type, type Static } from '@sinclair/typebox';
import { cloudEvent } from './events.ts';
import { UserId } from './rest.ts';

export const UserRegistered = cloudEvent('chat.user.registered', Type.Object({ user_id: UserId, name: Type.String() }));

export const UserDisabled = cloudEvent('chat.user.disabled', Type.Object({ user_id: UserId }));

export type UserRegistered = Static<typeof UserRegistered>;
export type UserDisabled = Static<typeof UserDisabled>;
export type UserEvent = UserRegistered | UserDisabled;

// Events of topic users: what happens to user accounts. No e-mail address: topics are read by many and kept for long.
import { Type, type Static } from '@sinclair/typebox';
import { cloudEvent } from './events.ts';
import { UserId } from './rest.ts';

/** An account was made. */
export const UserRegistered = cloudEvent('chat.user.registered', Type.Object({ user_id: UserId, name: Type.String() }));

/** An account was disabled. */
export const UserDisabled = cloudEvent('chat.user.disabled', Type.Object({ user_id: UserId }));

export type UserRegistered = Static<typeof UserRegistered>;
export type UserDisabled = Static<typeof UserDisabled>;
/** Any event of `users`. */
export type UserEvent = UserRegistered | UserDisabled;

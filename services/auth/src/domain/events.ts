// The events of topic users as CloudEvents. Id and time are arguments.
import type { UserDisabled, UserRegistered } from '@parley/protocol';

interface Occurrence {
  id: string;
  at: Date;
}

export function userRegistered(occurrence: Occurrence, user: { id: number; name: string }): UserRegistered {
  return { ...envelope(occurrence, user.id), type: 'chat.user.registered', data: { user_id: user.id, name: user.name } };
}

export function userDisabled(occurrence: Occurrence, user: { id: number }): UserDisabled {
  return { ...envelope(occurrence, user.id), type: 'chat.user.disabled', data: { user_id: user.id } };
}

function envelope({ id, at }: Occurrence, userId: number) {
  return {
    specversion: '1.0',
    id,
    source: '/parley/auth',
    subject: String(userId),
    time: at.toISOString(),
    datacontenttype: 'application/json',
  } as const;
}

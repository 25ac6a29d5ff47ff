// The events of topic users as CloudEvents. Id and time are arguments.
import type { UserRegistered } from '@parley/protocol';

export function userRegistered({ id, at }: { id: string; at: Date }, user: { id: number; name: string }): UserRegistered {
  return {
    specversion: '1.0',
    id,
    source: '/parley/auth',
    type: 'chat.user.registered',
    subject: String(user.id),
    time: at.toISOString(),
    datacontenttype: 'application/json',
    data: { user_id: user.id, name: user.name },
  };
}

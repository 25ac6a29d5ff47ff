// The events of topic users as CloudEvents. Id and time are arguments.
import { inEnvelope, type UserDisabled, type UserRegistered } from '@parley/protocol';

interface Occurrence {
  id: string;
  at: Date;
}

export const userRegistered = (occurrence: Occurrence, { id, name }: { id: number; name: string }): UserRegistered =>
  inEnvelope<UserRegistered>(headOf(occurrence, id), 'chat.user.registered', { user_id: id, name });

export const userDisabled = (occurrence: Occurrence, { id }: { id: number }): UserDisabled =>
  inEnvelope<UserDisabled>(headOf(occurrence, id), 'chat.user.disabled', { user_id: id });

const headOf = ({ id, at }: Occurrence, userId: number) => ({
  id,
  source: '/parley/auth',
  subject: String(userId),
  time: at.toISOString(),
});

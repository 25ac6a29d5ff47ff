// What is stored of a name and an e-mail address.
import { AppError } from '@parley/kit/process';

/** NUL cannot be stored in PostgreSQL, and line breaks or escapes in a name would spoil logs and terminals. */
const CONTROL = /\p{Cc}/u;

/** Two spellings of one address are one account. */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** Whether an account can have this address at all. */
export function isPossibleEmail(email: string): boolean {
  return !CONTROL.test(email);
}

/** Throws AppError invalid_request. */
export function checkedProfile({ name, email }: { name: string; email: string }): { name: string; email: string } {
  return withoutControls({ name: normaliseName(name), email: normaliseEmail(email) });
}

/** Throws AppError invalid_request. */
export function checkedName(name: string): string {
  return withoutControls({ name: normaliseName(name) }).name;
}

const normaliseName = (name: string): string => name.trim().normalize('NFC');

function withoutControls<T extends Record<string, string>>(profile: T): T {
  const errors = Object.entries(profile)
    .filter(([, value]) => CONTROL.test(value))
    .map(([field]) => ({ path: `/${field}`, message: 'Expected no control characters' }));
  if (errors.length > 0) throw new AppError('invalid_request', `${errors[0]?.path}: ${errors[0]?.message}`, { errors });
  return profile;
}

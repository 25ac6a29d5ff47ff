// A decision against a change ends its transaction.
import { AppError } from '@parley/kit/process';
import type { Refusal } from '../domain/permissions.ts';

/** Throws when there is a refusal. */
export function refuse(refusal: Refusal | undefined): void {
  if (refusal) throw new AppError(refusal.code, refusal.detail);
}

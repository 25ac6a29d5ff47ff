// What ends logins: logout, a new password, the end of an account. Each is committed first and then told to all replicas.
import { AppError, type Log } from '@parley/kit/process';
import type { Identity } from '@parley/kit/tokens';
import type { PasswordBody } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Accounts, Announcer, Passwords, Sessions } from './ports.ts';

export interface AccountChangesOptions {
  accounts: Accounts;
  sessions: Sessions;
  passwords: Passwords;
  announcer: Announcer;
  log: Log;
  now: () => Date;
}

export interface AccountChanges {
  /** Ends the login of this token and its sockets. A second time does nothing. */
  logout(identity: Identity): Promise<void>;
  /** Ends all other logins of the user and their sockets. */
  changePassword(identity: Identity, body: PasswordBody): Promise<void>;
}

export function createAccountChanges({ accounts, sessions, passwords, announcer, log, now }: AccountChangesOptions): AccountChanges {
  return {
    async logout({ sid }) {
      await announcer.announce(await sessions.end(sid, now()));
    },
    async changePassword({ userId, sid }, { current_password, new_password }) {
      const account = await accounts.findById(userId);
      const correct = await passwords.verify(account?.passwordHash, current_password);
      if (!correct || !account || account.disabled) throw new AppError('invalid_credentials', 'The current password is wrong');
      const passwordHash = await passwords.hash(new_password);
      const change = { userId, version: account.passwordVersion, passwordHash, family: sid, at: now() };
      const revocations = await accounts.changePassword(change);
      log.info({ user_id: userId }, 'password changed; all other logins are revoked');
      await announcer.announce(revocations);
    },
  };
}

/** The end of an account: no login, no refresh, no socket any more. Returns false when there is no such account, or it is disabled already. */
export async function disableUser(
  { accounts, announcer, log, now }: Pick<AccountChangesOptions, 'accounts' | 'announcer' | 'log' | 'now'>,
  userId: number,
): Promise<boolean> {
  const revocations = await accounts.disable({ userId, eventId: uuidv7(), at: now() });
  if (!revocations) return false;
  log.info({ user_id: userId }, 'user disabled');
  await announcer.announce(revocations);
  return true;
}

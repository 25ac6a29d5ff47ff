// The three ways to a pair of tokens: register, login, refresh. What is refused here is refused the same way for every reason.
import { randomBytes, randomUUID } from 'node:crypto';
import { AppError, type Log } from '@parley/kit/process';
import type { AuthAnswer, LoginBody, RegisterBody } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import { checkedProfile, isPossibleEmail } from './domain/profile.ts';
import { GRACE_MS, hashOfRefreshToken, REFRESH_TOKEN_BYTES, refreshTokenOf, successorOf } from './domain/refresh-token.ts';
import type { Account, Accounts, Announcer, NewRefreshToken, Passwords, SessionOwner, Sessions, TokenIssuer } from './ports.ts';

export interface LoginOptions {
  accounts: Accounts;
  sessions: Sessions;
  passwords: Passwords;
  tokens: TokenIssuer;
  announcer: Announcer;
  log: Log;
  now: () => Date;
  accessTokenSeconds: number;
  refreshTokenSeconds: number;
}

export interface Login {
  register(body: RegisterBody): Promise<AuthAnswer>;
  /** The address is normalised already. */
  login(body: LoginBody): Promise<AuthAnswer>;
  refresh(token: string): Promise<AuthAnswer>;
}

export function createLogin(options: LoginOptions): Login {
  const { accounts, sessions, passwords, announcer, log, now } = options;
  return {
    async register(body) {
      const profile = checkedProfile(body);
      const passwordHash = await passwords.hash(body.password);
      const { token, stored } = firstToken(options);
      const family = randomUUID();
      const account = await accounts.register({ ...profile, eventId: uuidv7(), family, passwordHash, refresh: stored });
      if (!account) throw new AppError('email_taken');
      log.info({ user_id: account.id }, 'user registered');
      await announcer.registered(account.id);
      return answer(options, { ...account, family }, token);
    },
    async login({ email, password }) {
      const account = isPossibleEmail(email) ? await accounts.findByEmail(email) : undefined;
      const correct = await passwords.verify(account?.passwordHash, password);
      // A disabled account is not told apart from a wrong password.
      if (!correct || !account || account.disabled) throw new AppError('invalid_credentials');
      await renewHash(options, account, password);
      const { token, stored } = firstToken(options);
      const family = randomUUID();
      const begun = await sessions.begin({ userId: account.id, passwordVersion: account.passwordVersion }, family, stored);
      if (!begun) throw new AppError('invalid_credentials');
      return answer(options, { ...account, family }, token);
    },
    async refresh(given) {
      const hash = hashOfRefreshToken(given);
      const salt = randomBytes(REFRESH_TOKEN_BYTES);
      const next = successorOf(given, salt);
      const owner = await sessions.rotate(hash, { ...storedToken(options, next), salt });
      if (owner) return answer(options, owner, next);
      const lost = await sessions.repeat(hash, new Date(now().getTime() - GRACE_MS));
      if (lost) return answer(options, lost.owner, successorOf(given, lost.salt));
      // Either a thief or the owner came second; nobody can tell, so both have to log in again.
      const revoked = await sessions.revokeReused(hash, now());
      if (revoked) {
        log.warn({ user_id: revoked.userId, family: revoked.family }, 'refresh token used twice; its family is revoked');
        await announcer.announce(revoked.revocations);
      }
      throw new AppError('invalid_refresh_token');
    },
  };
}

function firstToken(options: LoginOptions): { token: string; stored: NewRefreshToken } {
  const token = refreshTokenOf(randomBytes(REFRESH_TOKEN_BYTES));
  return { token, stored: storedToken(options, token) };
}

function storedToken({ now, refreshTokenSeconds, accessTokenSeconds }: LoginOptions, token: string): NewRefreshToken {
  const at = now();
  const later = (seconds: number) => new Date(at.getTime() + seconds * 1000);
  return { hash: hashOfRefreshToken(token), at, expiresAt: later(refreshTokenSeconds), accessExpiresAt: later(accessTokenSeconds) };
}

async function answer({ tokens, now, accessTokenSeconds }: LoginOptions, owner: SessionOwner, refreshToken: string): Promise<AuthAnswer> {
  const { id, name, email, family } = owner;
  return {
    token: await tokens.issue({ id, name, email }, { family, at: now() }),
    refresh_token: refreshToken,
    expires_in: accessTokenSeconds,
    user: { id, name, email },
  };
}

/** The password is at hand only now. A failure costs nothing: the next login tries again. */
async function renewHash({ accounts, passwords, log, now }: LoginOptions, account: Account & { passwordHash: string }, password: string) {
  if (!passwords.isOutdated(account.passwordHash)) return;
  try {
    await accounts.replacePasswordHash(account.id, { from: account.passwordHash, to: await passwords.hash(password), at: now() });
  } catch (error) {
    log.warn({ user_id: account.id, err: error }, 'password hash not renewed');
  }
}

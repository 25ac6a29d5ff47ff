// Which tokens no longer count although their time has not come. Auth keeps the truth in its database and repeats it on Redis; the
// replicas that hold sockets keep what they heard in memory, so that a lost Redis never makes a revoked token valid again.
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Identity } from './token.ts';

/** Schema of what ends tokens: one, those of a login, or those of a user. */
export const Revocation = Type.Object({
  kind: Type.Union([Type.Literal('user'), Type.Literal('login'), Type.Literal('token')]),
  /** user id, sid or jti */
  id: Type.String({ minLength: 1, maxLength: 128 }),
  /** for a user: tokens made before this time are revoked; milliseconds since 1970. A revoked login or token is so for ever */
  before_ms: Type.Integer({ minimum: 0 }),
  /** from then on no token that it means can be alive */
  until_ms: Type.Integer({ minimum: 0 }),
  /** true: the user may not come back with a new token either */
  final: Type.Boolean(),
});
export type Revocation = Static<typeof Revocation>;

/** Pub/sub channel: one revocation as JSON. */
export const REVOCATIONS_CHANNEL = 'chat:revocations';
/** Sorted set of all that are in force: member = the JSON, score = until_ms. Replicas read it at start and now and then. */
export const REVOCATIONS_KEY = 'chat:revoked';
/** Lives a little longer than any token, so that a set nobody renews goes away. */
const KEY_TTL_SECONDS = 86_400;
/** Entries that a process keeps; with more than this those go whose tokens end soonest by themselves. */
export const REVOCATIONS_MAX = 100_000;

const check = TypeCompiler.Compile(Revocation);

/** The revocation in a text from Redis, or undefined when it is none. */
export function parseRevocation(text: string): Revocation | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return check.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

interface RevocationRedis {
  multi(): {
    zadd(key: string, score: number, member: string): unknown;
    zremrangebyscore(key: string, min: string, max: number): unknown;
    expire(key: string, seconds: number): unknown;
    publish(channel: string, message: string): unknown;
    exec(): Promise<unknown>;
  };
}

/** Puts a revocation into force on all replicas. Throws when Redis is away: the caller's database is the truth and it comes again. */
export async function announceRevocation(redis: RevocationRedis, revocation: Revocation, nowMs: number): Promise<void> {
  const text = JSON.stringify(revocation);
  const commands = redis.multi();
  commands.zadd(REVOCATIONS_KEY, revocation.until_ms, text);
  commands.zremrangebyscore(REVOCATIONS_KEY, '-inf', nowMs);
  commands.expire(REVOCATIONS_KEY, KEY_TTL_SECONDS);
  commands.publish(REVOCATIONS_CHANNEL, text);
  await commands.exec();
}

const keyOf = (kind: Revocation['kind'], id: string): string => `${kind}:${id}`;

/** What one process knows. */
export class RevocationList {
  readonly #byKey = new Map<string, Revocation>();
  /** The same by their ends, the soonest first. */
  readonly #byEnd: Revocation[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  /** Returns false when it was known already. */
  add(revocation: Revocation): boolean {
    const key = keyOf(revocation.kind, revocation.id);
    const known = this.#byKey.get(key);
    if (known && known.before_ms >= revocation.before_ms && (known.final || !revocation.final)) return false;
    if (known) this.#byEnd.splice(this.#byEnd.indexOf(known, this.#endingBefore(known.until_ms)), 1);
    this.#byKey.set(key, revocation);
    this.#byEnd.splice(this.#endingBefore(revocation.until_ms), 0, revocation);
    if (this.#byKey.size > REVOCATIONS_MAX) this.#forget(1);
    return true;
  }

  /** The revocation that ends this identity, if any. */
  find(identity: Pick<Identity, 'userId' | 'sid' | 'jti' | 'issuedAtMs'>): Revocation | undefined {
    if (this.#byKey.size === 0) return undefined;
    const found = [
      this.#byKey.get(keyOf('user', String(identity.userId))),
      this.#byKey.get(keyOf('login', identity.sid)),
      this.#byKey.get(keyOf('token', identity.jti)),
    ];
    return found.find((each) => each !== undefined && (each.kind !== 'user' || each.final || identity.issuedAtMs < each.before_ms));
  }

  /** Drops those that mean no living token any more. */
  forgetExpired(nowMs: number): void {
    this.#forget(this.#endingBefore(nowMs + 1));
  }

  #forget(count: number): void {
    for (const { kind, id } of this.#byEnd.splice(0, count)) this.#byKey.delete(keyOf(kind, id));
  }

  /** How many end before a time. */
  #endingBefore(ms: number): number {
    let [low, high] = [0, this.#byEnd.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#byEnd[middle]!.until_ms < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

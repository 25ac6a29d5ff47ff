// The next step of a change of the key that signs tokens: published, then signing, then alone. Pure.
//
// Every step waits for what the replicas of auth themselves say, and for as long as somebody may hold on to the step before: a Secret
// arrives in a pod late, a verifier asks for new keys only now and then, a token lives on. The state is kept in the Secret beside the keys.
import type { ChatClusterStatus } from '@parley/operator-api';

/** On the ChatCluster: any new value asks for a new key. On the Secret: the value that was taken up last. */
export const ROTATE_ANNOTATION = 'chat.parley.dev/rotate-jwt-key';
/** On the Secret: where the change is. It names keys by their ids and holds no secret. */
export const ROTATION_ANNOTATION = 'chat.parley.dev/key-rotation';

export type KeyRotation = NonNullable<ChatClusterStatus['keyRotation']>;

export interface Rotation {
  phase: KeyRotation['phase'];
  /** the new key */
  keyId: string;
  /** those that it takes the place of */
  old: string[];
  /** when the phase began */
  since: string;
  /** since when every replica was seen to follow; undefined: one does not, or was not seen yet */
  allSince?: string;
  /** the longest life of a token while the change goes on */
  tokenSeconds: number;
  /** why it ended without a new key */
  reason?: string;
}

export type Jwk = Record<string, unknown>;

/** A replica of auth and what it says of its keys; undefined: it does not answer. */
export interface AuthReplica {
  name: string;
  keys: { signs: string; publishes: readonly string[] } | undefined;
}

export interface RotationInput {
  /** what the ChatCluster asks for, and what was taken up last */
  asked: string | undefined;
  taken: string | undefined;
  rotation: Rotation | undefined;
  /** undefined: they cannot be read */
  keys: readonly Jwk[] | undefined;
  replicas: readonly AuthReplica[];
  /** life of a token by the spec */
  tokenSeconds: number;
  now: Date;
  newKey: () => Jwk;
}

export interface RotationStep {
  /** as it is now; undefined: no key was ever changed */
  rotation: Rotation | undefined;
  /** to be stored: the state and, when they change, the keys */
  write?: { rotation: Rotation; taken: string | undefined; keys?: readonly Jwk[] };
}

/** A mounted Secret takes up to two minutes (kubelet), auth reads the file every ten seconds. */
export const SPREAD_MS = 180_000;
/** A verifier that met an unknown key asks again after ten seconds. */
const VERIFIER_MS = 20_000;
/** Clocks of verifiers that go behind. */
const CLOCKS_MS = 60_000;
/** A replica that has not followed after this time does not do so by itself. */
const LATE_MS = 600_000;

export const isRotating = (rotation: Pick<Rotation, 'phase'> | undefined): boolean =>
  rotation?.phase === 'Publishing' || rotation?.phase === 'Signing';

export function rotationStep(input: RotationInput): RotationStep {
  const { rotation, asked, taken } = input;
  if (rotation && isRotating(rotation)) return goOn(rotation, input);
  return asked && asked !== taken ? begin(asked, input) : { rotation };
}

function begin(asked: string, { keys, tokenSeconds, now, newKey }: RotationInput): RotationStep {
  const since = now.toISOString();
  if (!keys) return failed({ keyId: '', old: [], tokenSeconds }, { reason: UNREADABLE, taken: asked, now });
  const key = newKey();
  const rotation: Rotation = { phase: 'Publishing', keyId: idOf(key), old: keys.map(idOf), since, tokenSeconds };
  return { rotation, write: { rotation, taken: asked, keys: [...keys, key] } };
}

function goOn(before: Rotation, input: RotationInput): RotationStep {
  const { keys, taken, now } = input;
  const { keyId, old } = before;
  const fresh = keys?.find((key) => idOf(key) === keyId);
  if (!keys || !fresh)
    return failed(before, { reason: keys ? `the new key ${keyId} was taken out of the Secret by somebody else` : UNREADABLE, taken, now });
  // Tokens of before live as long as they were made for.
  const tokenSeconds = Math.max(before.tokenSeconds, input.tokenSeconds);
  const { allSince: known, ...kept } = before;
  const allSince = late(before, input.replicas).length > 0 ? undefined : (known ?? now.toISOString());
  const rotation: Rotation = { ...kept, tokenSeconds, ...(allSince ? { allSince } : {}) };
  const at = dueAt(rotation);
  if (at === undefined || now < at) {
    const same = allSince === known && tokenSeconds === before.tokenSeconds;
    return { rotation, ...(same ? {} : { write: { rotation, taken } }) };
  }
  const others = keys.filter((key) => key !== fresh);
  const published = before.phase === 'Publishing';
  const next: Rotation = { phase: published ? 'Signing' : 'Done', keyId, old, since: now.toISOString(), tokenSeconds };
  const left = published ? others : others.filter((key) => !old.includes(idOf(key)));
  return { rotation: next, write: { rotation: next, taken, keys: [fresh, ...left] } };
}

function failed(
  { keyId, old, tokenSeconds }: Pick<Rotation, 'keyId' | 'old' | 'tokenSeconds'>,
  { reason, taken, now }: { reason: string; taken: string | undefined; now: Date },
): RotationStep {
  const rotation: Rotation = { phase: 'Failed', keyId, old, since: now.toISOString(), tokenSeconds, reason };
  return { rotation, write: { rotation, taken } };
}

const UNREADABLE = 'keys.json of the Secret is not a list of keys ({"keys": [...]})';
const idOf = ({ kid }: Jwk): string => String(kid);

/** Replicas that do not follow: one that does not answer may do anything. */
function late({ phase, keyId }: Rotation, replicas: readonly AuthReplica[]): AuthReplica[] {
  return replicas.filter(({ keys }) => !(phase === 'Publishing' ? keys?.publishes.includes(keyId) : keys?.signs === keyId));
}

/** When the next step may be done; undefined: not before every replica follows. */
function dueAt({ phase, since, allSince, tokenSeconds }: Rotation): Date | undefined {
  if (allSince === undefined) return undefined;
  const hold = phase === 'Publishing' ? VERIFIER_MS : tokenSeconds * 1000 + CLOCKS_MS;
  return new Date(Math.max(Date.parse(since) + SPREAD_MS, Date.parse(allSince) + hold));
}

/** For people; the same text until something happens. */
export function rotationStatus(rotation: Rotation, { replicas, now }: Pick<RotationInput, 'replicas' | 'now'>): KeyRotation {
  const { phase, keyId, old, since, reason } = rotation;
  const from = since.replace(/\.\d+Z/, 'Z');
  const at = dueAt(rotation)
    ?.toISOString()
    .replace(/\.\d+Z/, 'Z');
  const names = late(rotation, replicas).map(({ name }) => name);
  const does = phase === 'Publishing' ? 'publish' : 'sign with';
  const waits =
    names.length === 0 ? 'it waits until all replicas of auth were asked' : `it waits for ${names.join(', ')} to ${does} the new one`;
  const messages: Record<KeyRotation['phase'], string> = {
    Publishing: `The signing key ${keyId} is published beside ${old.join(', ')}; ${at ? `it signs from ${at} on` : waits}`,
    Signing: `The signing key ${keyId} signs; ${at ? `${old.join(', ')} is removed at ${at}, when its last token has expired` : waits}`,
    Done: `The signing key is ${keyId}, alone since ${from}`,
    Failed: `The signing key was not changed, because ${reason}; repair the Secret and ask again with another value of the annotation ${ROTATE_ANNOTATION}`,
  };
  const held = isRotating(rotation) && names.length > 0 && now.getTime() - Date.parse(since) > LATE_MS;
  return {
    ...{ phase, since: from, message: messages[phase] },
    ...(keyId === '' ? {} : { keyId }),
    ...(held
      ? { held: `${names.join(', ')} did not ${does} the signing key ${keyId} in time: read the log of it, or delete the pod` }
      : {}),
  };
}

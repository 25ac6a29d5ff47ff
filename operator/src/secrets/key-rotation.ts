// The change of the signing key, from the annotation of the ChatCluster to the Secret of auth. The Secret holds the keys and says where the
// change is, and both are written at once: an operator that dies in between leaves a state that the next one goes on from.
import { signingKeys, type Plan, type Random } from '@parley/cdk8s';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { FIELD_MANAGER } from '../kube/applier.ts';
import type { Recorder } from '../kube/recorder.ts';
import { pathOf, secrets } from '../kube/resources.ts';
import { MERGE_PATCH, isConflict, isNotFound, isRefusal, type ApiError, type KubeObject, type KubeTransport } from '../kube/transport.ts';
import type { PodFacts } from '../watch/pods.ts';
import {
  isRotating,
  ROTATE_ANNOTATION,
  ROTATION_ANNOTATION,
  rotationStatus,
  rotationStep,
  type AuthReplica,
  type Jwk,
  type KeyRotation,
  type Rotation,
} from './signing-keys.ts';

/** What a replica of auth answers at /signing-keys of its admin port: ids, no keys. */
export const SigningKeysAnswer = Type.Object({
  signs: Type.String({ maxLength: 64 }),
  publishes: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100 }),
});
export type SigningKeysAnswer = Static<typeof SigningKeysAnswer>;

export interface KeyRotationContext {
  transport: KubeTransport;
  recorder: Pick<Recorder, 'record'>;
  /** Asks a replica of auth; throws when it does not answer. */
  readKeys: (ip: string) => Promise<SigningKeysAnswer>;
  random: Random;
  now: () => Date;
}

const KEYS = 'keys.json';
const ROTATION = Type.Object({
  phase: Type.Union([Type.Literal('Publishing'), Type.Literal('Signing'), Type.Literal('Done'), Type.Literal('Failed')]),
  keyId: Type.String(),
  old: Type.Array(Type.String()),
  since: Type.String(),
  allSince: Type.Optional(Type.String()),
  tokenSeconds: Type.Number(),
  reason: Type.Optional(Type.String()),
});

/** One look and at most one step. undefined: there is no Secret yet, or its key was never changed. */
export async function rotateSigningKey(
  plan: Plan,
  live: KubeObject,
  pods: readonly PodFacts[],
  context: KeyRotationContext,
): Promise<KeyRotation | undefined> {
  const { transport, recorder, random, now } = context;
  const path = pathOf(secrets, plan.namespace, `${plan.cluster}-jwt`);
  const secret = await transport.request('GET', path).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (!secret) return undefined;
  const { annotations = {}, resourceVersion } = secret.metadata;
  const before = stateOf(annotations[ROTATION_ANNOTATION]);
  const replicas = isRotating(before) ? await ask(pods, context) : [];
  const { rotation, write } = rotationStep({
    asked: live.metadata.annotations?.[ROTATE_ANNOTATION],
    taken: annotations[ROTATE_ANNOTATION],
    rotation: before,
    keys: keysOf(secret),
    replicas,
    tokenSeconds: plan.spec.auth.accessTokenSeconds,
    now: now(),
    newKey: () => signingKeys(random).keys[0] as Jwk,
  });
  if (write) {
    const { keys, taken } = write;
    const body = {
      metadata: { resourceVersion, annotations: { [ROTATION_ANNOTATION]: JSON.stringify(write.rotation), [ROTATE_ANNOTATION]: taken } },
      ...(keys ? { data: { [KEYS]: Buffer.from(JSON.stringify({ keys })).toString('base64') } } : {}),
    };
    try {
      await transport.request('PATCH', path, { query: { fieldManager: FIELD_MANAGER }, contentType: MERGE_PATCH, body });
    } catch (error) {
      // Somebody else wrote it in the meantime: the next look decides anew.
      if (isConflict(error) || isNotFound(error)) return before && rotationStatus(before, { replicas, now: now() });
      if (isRefusal(error)) return refused(error, live, context);
      throw error;
    }
  }
  const status = rotation && rotationStatus(rotation, { replicas, now: now() });
  if (status && status.phase !== before?.phase) {
    const type = status.phase === 'Failed' ? ('Warning' as const) : ('Normal' as const);
    recorder.record(live, { type, reason: EVENTS[status.phase], action: 'RotateKey', note: status.message });
  }
  return status;
}

const EVENTS: Record<Rotation['phase'], string> = {
  Publishing: 'SigningKeyPublished',
  Signing: 'SigningKeySigns',
  Done: 'SigningKeyChanged',
  Failed: 'SigningKeyNotChanged',
};

/** Rights of an older install, or a Secret that is immutable: nothing else has to wait for that. */
function refused({ message: cause }: ApiError, live: KubeObject, { recorder, now }: KeyRotationContext): KeyRotation {
  const message = `The Secret of the signing keys cannot be written: ${cause}. Bring the install of the operator up to date, or the Secret`;
  recorder.record(live, { type: 'Warning', reason: EVENTS.Failed, action: 'RotateKey', note: message });
  return {
    phase: 'Failed',
    since: now()
      .toISOString()
      .replace(/\.\d+Z/, 'Z'),
    message,
  };
}

/** Those that run: one that has no address yet reads the Secret as it is when it starts. */
async function ask(pods: readonly PodFacts[], { readKeys }: KeyRotationContext): Promise<AuthReplica[]> {
  const running = pods.filter(({ component, ip, terminating }) => component === 'auth' && ip !== undefined && !terminating);
  return Promise.all(running.map(async ({ name, ip = '' }) => ({ name, keys: await readKeys(ip).catch(() => undefined) })));
}

/** What somebody else wrote there counts as nothing. */
function stateOf(text: string | undefined): Rotation | undefined {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return Value.Check(ROTATION, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing of the text is ever told: it holds the private keys. */
function keysOf(secret: KubeObject): Jwk[] | undefined {
  const data = (secret['data'] ?? {}) as Record<string, string>;
  try {
    const { keys } = JSON.parse(Buffer.from(data[KEYS] ?? '', 'base64').toString('utf8')) as { keys?: unknown };
    return Array.isArray(keys) && keys.length > 0 && keys.every(hasId) ? keys : undefined;
  } catch {
    return undefined;
  }
}
const hasId = (key: unknown): key is Jwk => typeof (key as { kid?: unknown } | null)?.kid === 'string';

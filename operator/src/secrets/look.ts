// The steps of a reconcile for Secrets and signing keys. Secrets are not watched, so that the operator need not see those of others: they are
// looked at again after a while.
import { randomBytes } from 'node:crypto';
import type { Plan } from '@parley/cdk8s';
import type { KubeObject, KubeTransport } from '../kube/transport.ts';
import type { Paces } from '../paces.ts';
import type { PodFacts } from '../watch/pods.ts';
import { ensureSecrets } from './ensure.ts';
import { rotateSigningKey, type KeyRotationContext } from './key-rotation.ts';
import { missingSecrets } from './refs.ts';
import { isRotating, ROTATE_ANNOTATION, type KeyRotation } from './signing-keys.ts';

export interface SecretsMemory {
  /** Secrets were looked at: of which plan, when, and which of somebody else's were missing */
  secrets?: { of: string; atMs: number; missing: string[] };
}

export interface KeysMemory {
  /** the change of the signing key: as it was seen last, when, and what was asked for */
  keys?: { atMs: number; asked: string | undefined; rotation: KeyRotation | undefined };
}

interface SecretsContext {
  transport: KubeTransport;
  random?: (bytes: number) => Buffer;
  now: () => Date;
  paces: Pick<Paces, 'secrets' | 'keys'>;
}

/** Those of our own are made, those of others only looked for. */
export async function lookAtSecrets(
  { plan, live }: { plan: Plan; live: KubeObject },
  memory: SecretsMemory,
  { transport, random = randomBytes, now, paces }: SecretsContext,
): Promise<void> {
  const of = JSON.stringify(plan);
  const atMs = now().getTime();
  const { secrets } = memory;
  if (secrets?.of === of && secrets.missing.length === 0 && Math.abs(atMs - secrets.atMs) < paces.secrets) return;
  await ensureSecrets(plan, live, transport, random);
  memory.secrets = { of, atMs, missing: await missingSecrets(plan, transport, now()) };
}

/** Keys are no manifest: they change also while a plan waits for approval. */
export async function lookAtKeys(
  { plan, live, pods }: { plan: Plan; live: KubeObject; pods: readonly PodFacts[] },
  memory: KeysMemory,
  context: Omit<KeyRotationContext, 'random'> & Pick<SecretsContext, 'random' | 'paces'>,
): Promise<KeyRotation | undefined> {
  const { random = randomBytes, now, paces } = context;
  const atMs = now().getTime();
  const asked = live.metadata.annotations?.[ROTATE_ANNOTATION];
  const { keys } = memory;
  const every = isRotating(keys?.rotation) ? 0.9 * paces.keys : paces.secrets;
  if (keys && keys.asked === asked && Math.abs(atMs - keys.atMs) < every) return keys.rotation;
  const rotation = await rotateSigningKey(plan, live, pods, { ...context, random });
  memory.keys = { atMs, asked, rotation };
  return rotation;
}

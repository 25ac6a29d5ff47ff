// What Kubernetes says of claims that have no volume: their Events, asked for by name and only while a claim waits.
import type { Claim } from './claims.ts';
import { events, pathOf } from '../kube/resources.ts';
import { isRefusal, type KubeTransport } from '../kube/transport.ts';

interface EventSeen {
  type?: string;
  reason?: string;
  note?: string;
  eventTime?: string | null;
  deprecatedLastTimestamp?: string | null;
  series?: { lastObservedTime?: string };
  regarding?: { uid?: string };
}

/** By the uid of the claim: what is wrong. One that waits as it should is not in it. */
export type WaitingClaims = ReadonlyMap<string, string>;

export interface KnownWaiting {
  of: string;
  atMs: number;
  said: WaitingClaims;
}

/** A provisioner that is asked and does not answer within this time is worth telling. */
const PATIENCE_MS = 30_000;
/** As it should be: the volume is made when a pod needs it, or is being made. */
const IN_ORDER = new Set(['WaitForFirstConsumer', 'WaitForPodScheduled', 'Provisioning', 'ProvisioningSucceeded']);

/** A claim without a class has no volume for a reason that needs no Event. */
const isAskedFor = ({ bound, terminating, storageClass }: Claim): boolean => !bound && !terminating && storageClass !== undefined;

export async function lookAtWaiting(
  claims: readonly Claim[],
  { transport, namespace, now, askAgainMs }: { transport: KubeTransport; namespace: string; now: Date; askAgainMs: number },
  known: KnownWaiting | undefined,
): Promise<KnownWaiting> {
  const waiting = claims.filter(isAskedFor);
  const of = waiting.map(({ uid }) => uid).join();
  const atMs = now.getTime();
  if (known?.of === of && (waiting.length === 0 || Math.abs(atMs - known.atMs) < askAgainMs)) return known;
  const said = await Promise.all(
    waiting.map(async (claim) => {
      const query = { fieldSelector: `regarding.kind=PersistentVolumeClaim,regarding.name=${claim.name}` };
      const { items } = await transport
        .request<{ items: EventSeen[] }>('GET', pathOf(events, namespace), { query })
        .catch((error: unknown) => {
          // Rights of an older install: the claim is told of without its Events.
          if (isRefusal(error)) return { items: [] };
          throw error;
        });
      return [claim.uid, complaint(claim, items, atMs)] as const;
    }),
  );
  return { of, atMs, said: new Map(said.filter((each): each is [string, string] => each[1] !== undefined)) };
}

const timeOf = ({ series, deprecatedLastTimestamp, eventTime }: EventSeen): string =>
  series?.lastObservedTime ?? deprecatedLastTimestamp ?? eventTime ?? '';

/** What the newest Event of a claim says, unless it says that all is in order. Pure. */
export function complaint({ uid, createdMs }: Claim, seen: readonly EventSeen[], nowMs: number): string | undefined {
  const ofIt = seen.filter(({ regarding }) => regarding?.uid === uid);
  const newest = [...ofIt].sort((one, other) => Date.parse(timeOf(one)) - Date.parse(timeOf(other))).at(-1);
  if (!newest) return undefined;
  const { type, reason = '', note = '' } = newest;
  const told = type === 'Warning' || (!IN_ORDER.has(reason) && nowMs - createdMs > PATIENCE_MS);
  return told ? `${reason}: ${note}` : undefined;
}

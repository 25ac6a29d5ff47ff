// Server-side apply of the wanted objects, without a write when nothing changed, and removal of what is no longer wanted.
import { createHash } from 'node:crypto';
import { ownedResource, pathOf } from './resources.ts';
import { isNotFound, type KubeObject, type KubeTransport } from './transport.ts';

export const FIELD_MANAGER = 'parley-operator';
const HASH_ANNOTATION = 'chat.parley.dev/applied-hash';

export interface ApplierOptions {
  transport: KubeTransport;
  /** the live object as last seen by the watches */
  live: (object: KubeObject) => KubeObject | undefined;
  onSkip?: () => void;
}

/**
 * An object is written when its text changed since the last apply (hash annotation), when it is gone, or when somebody else changed
 * it. The last is seen by the live object's resource version-independent part: `generation` for kinds that have one, which moves with
 * every change of the spec but not of the status, otherwise the fields that we apply.
 */
export class Applier {
  readonly #options: ApplierOptions;
  /** uid -> generation after our last apply */
  readonly #generations = new Map<string, number>();

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Returns true when something was written. */
  async apply(object: KubeObject): Promise<boolean> {
    const { transport, live, onSkip = () => {} } = this.#options;
    const hash = createHash('sha256').update(JSON.stringify(object)).digest('hex').slice(0, 32);
    const existing = live(object);
    if (existing && this.#unchanged(object, existing, hash)) {
      onSkip();
      return false;
    }
    const { metadata } = object;
    const body = { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [HASH_ANNOTATION]: hash } } };
    const applied = await transport.request('PATCH', pathOf(ownedResource(object.kind), metadata.namespace, metadata.name), {
      query: { fieldManager: FIELD_MANAGER, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body,
    });
    if (applied.metadata.uid && applied.metadata.generation !== undefined)
      this.#generations.set(applied.metadata.uid, applied.metadata.generation);
    return true;
  }

  /** Deletes what we own and no longer want. Children go with it, in the background. */
  async remove(object: KubeObject): Promise<void> {
    const path = pathOf(ownedResource(object.kind), object.metadata.namespace, object.metadata.name);
    try {
      await this.#options.transport.request('DELETE', path, {
        body: { propagationPolicy: 'Background', preconditions: { uid: object.metadata.uid } },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #unchanged(object: KubeObject, existing: KubeObject, hash: string): boolean {
    if (existing.metadata.annotations?.[HASH_ANNOTATION] !== hash || existing.metadata.deletionTimestamp) return false;
    const { uid, generation } = existing.metadata;
    const known = uid === undefined ? undefined : this.#generations.get(uid);
    // Right after our own write the watch may still show the object before it.
    if (generation !== undefined && known !== undefined) return generation <= known && contains(existing, object);
    return contains(existing, object);
  }
}

/** Does the live object hold everything that we apply? Defaults that the API server adds do not count as changes. */
export function contains(live: unknown, wanted: unknown): boolean {
  if (wanted === null || typeof wanted !== 'object') return sameScalar(live, wanted);
  if (Array.isArray(wanted))
    return Array.isArray(live) && live.length === wanted.length && wanted.every((item, index) => contains(live[index], item));
  const entries = Object.entries(wanted).filter(([, value]) => value !== undefined);
  // The API server leaves empty values out.
  if (live === undefined || live === null) return entries.every(([, value]) => contains(undefined, value));
  if (typeof live !== 'object') return false;
  return entries.every(([key, value]) => contains((live as Record<string, unknown>)[key], value));
}

/** Quantities are written in a canonical form by the API server (0.5 -> 500m): compare what looks like one by value. */
function sameScalar(live: unknown, wanted: unknown): boolean {
  return (
    live === wanted ||
    (typeof live === 'string' && typeof wanted === 'string' && quantity(live) !== undefined && quantity(live) === quantity(wanted))
  );
}

const UNITS: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

function quantity(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text);
  return match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1) : undefined;
}

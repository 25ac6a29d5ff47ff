// Server-side apply of the wanted objects, without a write when nothing changed, and removal of what is no longer wanted.
import { createHash } from 'node:crypto';
import { quantityOf } from '@parley/cdk8s';
import { clusterOf, isKeptVolume, ownedResource, pathOf } from './resources.ts';
import { identity } from './removal.ts';
import { isNotFound, type KubeObject, type KubeTransport } from './transport.ts';

export const FIELD_MANAGER = 'parley-operator';
const HASH_ANNOTATION = 'chat.parley.dev/applied-hash';

/** An object right after it was applied. */
interface Left {
  uid: string;
  generation: number | undefined;
  resourceVersion: string | undefined;
}

export interface ApplierOptions {
  transport: KubeTransport;
  /** the live object as last seen by the watches */
  live: (object: KubeObject) => KubeObject | undefined;
  onSkip?: () => void;
}

/**
 * An object is written when its text changed since the last apply (hash annotation), when it is gone, or when somebody else changed
 * it. The last is told by what our own apply left behind: the same resource version is the same object; the same `generation` (kinds
 * that have one) is the same spec; else the fields that we apply are compared. So a value that the API server writes in another form
 * costs one write after a restart, never a loop.
 */
export class Applier {
  readonly #options: ApplierOptions;
  /** cluster, as `namespace/name` -> object of it -> what our last apply left */
  readonly #left = new Map<string, Map<string, Left>>();

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Returns true when something was written. */
  async apply(object: KubeObject): Promise<boolean> {
    const { live, onSkip = () => {} } = this.#options;
    const hash = hashOf(object);
    const existing = live(object);
    if (existing && this.#unchanged(object, existing, hash)) {
      onSkip();
      return false;
    }
    const applied = await this.#patch(object, hash);
    const { uid, generation, resourceVersion } = applied.metadata;
    if (uid) this.#leftOf(object).set(identity(object), { uid, generation, resourceVersion });
    return true;
  }

  /** Lets go of what is known of a cluster that is deleted. */
  forget(cluster: string): void {
    this.#left.delete(cluster);
  }

  /** clusters of which something is known */
  get known(): number {
    return this.#left.size;
  }

  #leftOf(object: KubeObject): Map<string, Left> {
    const cluster = clusterOf(object) ?? '';
    let left = this.#left.get(cluster);
    if (!left) this.#left.set(cluster, (left = new Map<string, Left>()));
    return left;
  }

  /** What {@link apply} would make of it, by a dry run of the API server; undefined: nothing would be written. */
  async preview(object: KubeObject): Promise<{ live: KubeObject | undefined; result: KubeObject } | undefined> {
    const hash = hashOf(object);
    const live = this.#options.live(object);
    if (live && this.#unchanged(object, live, hash)) return undefined;
    // Items of a list carry neither kind nor apiVersion.
    const { kind, apiVersion } = object;
    return { live: live && { ...live, kind, apiVersion }, result: await this.#patch(object, hash, { dryRun: 'All' }) };
  }

  #patch(object: KubeObject, hash: string, more: Record<string, string> = {}): Promise<KubeObject> {
    const { metadata } = object;
    const body = { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [HASH_ANNOTATION]: hash } } };
    return this.#options.transport.request('PATCH', pathOf(ownedResource(object.kind), metadata.namespace, metadata.name), {
      query: { fieldManager: FIELD_MANAGER, force: 'true', ...more },
      contentType: 'application/apply-patch+yaml',
      body,
    });
  }

  /** Deletes what we own and no longer want. Children go with it, in the background. */
  remove(object: KubeObject): Promise<void> {
    return this.#delete(object, 'Background');
  }

  /** Deletes the object alone: its children stay, and the next one with the same selector takes them over. */
  orphan(object: KubeObject): Promise<void> {
    return this.#delete(object, 'Orphan');
  }

  async #delete(object: KubeObject, propagationPolicy: 'Background' | 'Orphan'): Promise<void> {
    const path = pathOf(ownedResource(object.kind), object.metadata.namespace, object.metadata.name);
    try {
      this.#left.get(clusterOf(object) ?? '')?.delete(identity(object));
      await this.#options.transport.request('DELETE', path, {
        body: { propagationPolicy, preconditions: { uid: object.metadata.uid } },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #unchanged(object: KubeObject, seen: KubeObject, hash: string): boolean {
    if (isKeptVolume(object)) return true;
    const { uid = '', generation, resourceVersion, annotations, deletionTimestamp } = seen.metadata;
    if (annotations?.[HASH_ANNOTATION] !== hash || deletionTimestamp) return false;
    const remembered = this.#left.get(clusterOf(object) ?? '')?.get(identity(object));
    const left = remembered?.uid === uid ? remembered : undefined;
    if (left && left.resourceVersion === resourceVersion) return true;
    // `<=`: right after our own write the watch may still show the object before it.
    if (left?.generation !== undefined && generation !== undefined && generation <= left.generation)
      return contains(seen.metadata, object.metadata);
    // Items of a list carry neither kind nor apiVersion; the path they came from says both.
    const { kind, apiVersion } = object;
    return contains({ ...seen, kind, apiVersion }, object);
  }
}

const hashes = new WeakMap<KubeObject, string>();

/** Taken once of each object: a plan that did not change is applied with the same objects, and their text is the most of a reconcile's CPU time. */
function hashOf(object: KubeObject): string {
  let hash = hashes.get(object);
  if (hash === undefined) hashes.set(object, (hash = createHash('sha256').update(JSON.stringify(object)).digest('hex').slice(0, 32)));
  return hash;
}

/** Does the live object hold everything that we apply? Defaults that the API server adds do not count as changes. */
export function contains(live: unknown, wanted: unknown): boolean {
  if (wanted === null || typeof wanted !== 'object') return sameScalar(live, wanted);
  // The API server leaves empty values out.
  if (Array.isArray(wanted) && wanted.length === 0)
    return live === undefined || live === null || (Array.isArray(live) && live.length === 0);
  if (Array.isArray(wanted))
    return Array.isArray(live) && live.length === wanted.length && wanted.every((item, index) => contains(live[index], item));
  const entries = Object.entries(wanted).filter(([, value]) => value !== undefined);
  if (live === undefined || live === null) return entries.every(([, value]) => contains(undefined, value));
  if (typeof live !== 'object') return false;
  return entries.every(([key, value]) => contains((live as Record<string, unknown>)[key], value));
}

/** Quantities are written in a canonical form by the API server (0.5 -> 500m): compare what looks like one by value. */
function sameScalar(live: unknown, wanted: unknown): boolean {
  return (
    live === wanted ||
    // An empty text is left out, too.
    (wanted === '' && live === undefined) ||
    (typeof live === 'string' && typeof wanted === 'string' && quantityOf(live) !== undefined && quantityOf(live) === quantityOf(wanted))
  );
}

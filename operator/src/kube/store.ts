// What a reflector has seen, by namespace/name. The same name with another uid is another object.
import type { KubeObject } from './transport.ts';

export const keyOf = ({ namespace = '', name }: { namespace?: string; name: string }): string => `${namespace}/${name}`;

/** Names what an object belongs to; undefined: to nothing. */
export type GroupOf = (object: KubeObject) => string | undefined;

export class Store {
  readonly #objects = new Map<string, KubeObject>();
  readonly #groups = new Map<string, Map<string, KubeObject>>();
  readonly #groupOf: GroupOf;

  constructor(groupOf: GroupOf = () => undefined) {
    this.#groupOf = groupOf;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }
  list(): KubeObject[] {
    return [...this.#objects.values()];
  }
  /** What belongs together, without a look at the rest. */
  group(name: string): KubeObject[] {
    return [...(this.#groups.get(name)?.values() ?? [])];
  }

  set(object: KubeObject): void {
    const key = keyOf(object.metadata);
    // It may have belonged to another group.
    this.delete(key);
    slim(object);
    this.#objects.set(key, object);
    const name = this.#groupOf(object);
    if (name === undefined) return;
    const group = this.#groups.get(name);
    if (group) group.set(key, object);
    else this.#groups.set(name, new Map([[key, object]]));
  }
  delete(key: string): void {
    const object = this.#objects.get(key);
    const name = object && this.#groupOf(object);
    this.#objects.delete(key);
    if (name === undefined) return;
    const group = this.#groups.get(name);
    group?.delete(key);
    if (group?.size === 0) this.#groups.delete(name);
  }
  /** Takes a complete list; returns the objects that are gone. */
  replace(objects: readonly KubeObject[]): KubeObject[] {
    const fresh = new Set(objects.map(({ metadata }) => keyOf(metadata)));
    const gone = [...this.#objects].filter(([key]) => !fresh.has(key)).map(([, object]) => object);
    this.#objects.clear();
    this.#groups.clear();
    for (const object of objects) this.set(object);
    return gone;
  }
}

/** Who owns which field is for the API server; it is as long as the object itself, and nothing here reads it. Takes it out of the object. */
function slim({ metadata }: KubeObject): void {
  delete (metadata as { managedFields?: unknown }).managedFields;
}

// What a reflector has seen, by namespace/name. The same name with another uid is another object.
import type { KubeObject } from './transport.ts';

export const keyOf = ({ namespace = '', name }: { namespace?: string; name: string }): string => `${namespace}/${name}`;

export class Store {
  readonly #objects = new Map<string, KubeObject>();

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }
  set(object: KubeObject): void {
    this.#objects.set(keyOf(object.metadata), object);
  }
  delete(key: string): void {
    this.#objects.delete(key);
  }
  list(): KubeObject[] {
    return [...this.#objects.values()];
  }
  /** Takes a complete list; returns the objects that are gone. */
  replace(objects: readonly KubeObject[]): KubeObject[] {
    const fresh = new Map(objects.map((object) => [keyOf(object.metadata), object]));
    const gone = [...this.#objects].filter(([key]) => !fresh.has(key)).map(([, object]) => object);
    this.#objects.clear();
    for (const [key, object] of fresh) this.#objects.set(key, object);
    return gone;
  }
}

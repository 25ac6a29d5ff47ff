// Which images a node has, and which it still needs. Pure.

/** name of an image -> every digest by which the node knows it: its manifest and its configuration */
export type NodeImages = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Reads `ctr images ls`: name, type, digest, ... in columns. An image appears by its name and once more as `sha256:<configuration>` with
 * the same manifest digest; the digest of the configuration is what docker and podman call the image's id.
 */
export function parseNodeImages(text: string): NodeImages {
  const rows = text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([name = '', , digest = '']) => (digest.startsWith('sha256:') ? [{ name, digest }] : []));
  const ids = new Map<string, string[]>();
  for (const { name, digest } of rows) if (name.startsWith('sha256:')) ids.set(digest, [...(ids.get(digest) ?? []), name]);
  return new Map(
    rows.filter(({ name }) => !name.startsWith('sha256:')).map(({ name, digest }) => [name, new Set([digest, ...(ids.get(digest) ?? [])])]),
  );
}

/** An image as the engine of this machine has it. */
export interface BuiltImage {
  /** in full, with registry and tag */
  name: string;
  /** `sha256:...` */
  id: string;
}

/** Images that the node lacks or has an older version of. */
export function imagesToLoad(wanted: readonly BuiltImage[], node: NodeImages): BuiltImage[] {
  return wanted.filter(({ name, id }) => !node.get(name)?.has(id));
}

/** What the nodes have after loading; `built` are the images they were given. */
export function withBuilt(node: NodeImages, built: readonly BuiltImage[]): NodeImages {
  return new Map([...node, ...built.map(({ name, id }): [string, Set<string>] => [name, new Set([id, ...(node.get(name) ?? [])])])]);
}

/** `redis:8.0` -> `docker.io/library/redis:8.0`: the name under which a node looks for it. */
export function fullName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  return isHost ? image : `docker.io/${image}`;
}

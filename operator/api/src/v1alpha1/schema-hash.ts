// A CustomResourceDefinition tells which schema it has, so that an operator sees when it is another one than its own.
import { createHash } from 'node:crypto';

/** On a CRD. */
export const SCHEMA_HASH_ANNOTATION = 'chat.parley.dev/schema-hash';

interface Crd {
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
  spec: object;
}

/** The same CRD with the hash of everything it says but its version, which may move without the schema. */
export function withSchemaHash<T extends Crd>(crd: T): T {
  const hash = createHash('sha256').update(JSON.stringify(crd.spec)).digest('hex').slice(0, 16);
  return { ...crd, metadata: { ...crd.metadata, annotations: { [SCHEMA_HASH_ANNOTATION]: hash } } };
}

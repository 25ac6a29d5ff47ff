// What the CustomResourceDefinitions of this group have in common: the document, and a structural schema out of one of ours.
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { GROUP, VERSION } from './chat-cluster.ts';
import { withSchemaHash } from './schema-hash.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a structural schema may hold of each of our schemas. */
const KEPT = new Set([
  'type',
  'description',
  'default',
  'enum',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'required',
  'nullable',
]);

/** TypeBox schema -> structural OpenAPI schema. Unknown keywords are dropped, x-kubernetes-… stays. */
export function structural(schema: object): Json {
  const out: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(schema) as [string, unknown][]) {
    // The API server checks a default by the rules before it fills in the defaults below it: so it must be complete by itself.
    if (key === 'default' && value !== null && typeof value === 'object' && !Array.isArray(value))
      out['default'] = Value.Default(schema as TSchema, structuredClone(value)) as Json;
    else if (KEPT.has(key) || key.startsWith('x-kubernetes-')) out[key] = value as Json;
    else if (key === 'properties')
      out['properties'] = Object.fromEntries(Object.entries(value as object).map(([name, child]) => [name, structural(child as object)]));
    else if (key === 'items') out['items'] = structural(value as object);
    else if (key === 'additionalProperties' && typeof value === 'object') out['additionalProperties'] = structural(value as object);
    else if (key === 'anyOf') Object.assign(out, { type: 'string', enum: (value as { const: string }[]).map((literal) => literal.const) });
    // Type.Record(String, …) says it by a pattern.
    else if (key === 'patternProperties' && !('x-kubernetes-preserve-unknown-fields' in schema))
      out['additionalProperties'] = structural(Object.values(value as object)[0] as object);
  }
  // A default makes a field optional for the caller: required fields with defaults would be refused before defaulting is seen by people.
  const required = (out['required'] as string[] | undefined)?.filter((name) => !hasDefault(schema, name));
  if (required && required.length > 0) out['required'] = required;
  else delete out['required'];
  return out;
}

function hasDefault(schema: object, name: string): boolean {
  const child = (schema as { properties?: Record<string, { default?: unknown }> }).properties?.[name];
  return child?.default !== undefined;
}

interface Crd {
  kind: string;
  plural: string;
  /** what else kubectl calls it */
  names?: { shortNames?: string[]; categories?: string[] };
  description: string;
  /** the schemas of both parts */
  spec: TSchema;
  status: TSchema;
  /** more for the schema of the whole object, such as rules */
  schema?: { required?: string[]; 'x-kubernetes-validations'?: object[] };
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string };
  columns: object[];
}

/** The object to apply. `version` is the version of Parley it belongs to. */
export function crdOf({ kind, plural, names = {}, description, spec, status, schema = {}, scale, columns }: Crd, version: string) {
  const { required, ...rules } = schema;
  const openAPIV3Schema = {
    type: 'object',
    description,
    ...(required ? { required } : {}),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structural(spec),
      status: structural(status),
    },
    ...rules,
  };
  return withSchemaHash({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'parley', 'app.kubernetes.io/version': version } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), ...names },
      versions: [
        {
          ...{ name: VERSION, served: true, storage: true },
          schema: { openAPIV3Schema },
          subresources: { status: {}, ...(scale ? { scale } : {}) },
          additionalPrinterColumns: columns,
        },
      ],
    },
  });
}

// A YAML block parses; a ChatCluster or ChatDrill in it is what the API server would take under the schema of its definition.
import { chatClusterCrd, chatDrillCrd } from '@parley/operator-api';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { parseAllDocuments } from 'yaml';

type Schema = Record<string, unknown>;

const definitions = { ChatCluster: chatClusterCrd, ChatDrill: chatDrillCrd };
const compiled = new Map<string, { apiVersion: string; validate: ValidateFunction }>();

export function yamlProblems(text: string): string[] {
  const problems: string[] = [];
  for (const document of parseAllDocuments(text)) {
    if ('errors' in document && document.errors.length > 0) problems.push(...document.errors.map(({ message }) => `not YAML: ${message}`));
    else if ('toJS' in document) problems.push(...resourceProblems(document.toJS()));
  }
  return problems;
}

function resourceProblems(value: unknown): string[] {
  const { kind, apiVersion } = (value ?? {}) as { kind?: unknown; apiVersion?: unknown };
  if (kind !== 'ChatCluster' && kind !== 'ChatDrill') return [];
  const definition = definitionOf(kind);
  if (apiVersion !== definition.apiVersion) return [`${kind}: apiVersion must be ${definition.apiVersion}`];
  if (definition.validate(value)) return [];
  return (definition.validate.errors ?? []).map((error) => `${kind}: ${inWords(error)}`);
}

function definitionOf(kind: keyof typeof definitions): { apiVersion: string; validate: ValidateFunction } {
  const known = compiled.get(kind);
  if (known) return known;
  const { group, versions } = definitions[kind]('0.0.0').spec;
  const [version] = versions;
  const schema = closed(version?.schema.openAPIV3Schema) as Schema & { properties: Schema };
  // The API server has its own schema for these.
  schema.properties['metadata'] = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, namespace: { type: 'string' } },
  };
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const definition = { apiVersion: `${group}/${version?.name}`, validate: ajv.compile(schema) };
  compiled.set(kind, definition);
  return definition;
}

/** A field that the schema does not name would be dropped in silence by the API server: in a page it is a mistake. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const out = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, key === 'default' ? value : closed(value)]));
  const isObject = out['type'] === 'object' && typeof out['properties'] === 'object' && typeof out['type'] === 'string';
  const isOpen = 'additionalProperties' in out || out['x-kubernetes-preserve-unknown-fields'] === true;
  if (isObject && !isOpen) out['additionalProperties'] = false;
  if (out['x-kubernetes-int-or-string'] === true) out['type'] = ['integer', 'string'];
  return out;
}

function inWords({ instancePath, message, params }: ErrorObject): string {
  const { additionalProperty, allowedValues } = params as { additionalProperty?: string; allowedValues?: unknown[] };
  const where = instancePath.slice(1).replaceAll('/', '.') || 'the resource';
  if (additionalProperty !== undefined) return `${where} has no field "${additionalProperty}"`;
  return `${where} ${message}${allowedValues ? `: ${allowedValues.join(', ')}` : ''}`;
}

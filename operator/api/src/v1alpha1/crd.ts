// The CustomResourceDefinition, made from the schema.
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { backupNameRule } from './backup.ts';
import { GROUP, KIND, PLURAL, VERSION } from './chat-cluster.ts';
import { ChatClusterSpec } from './spec.ts';
import { ChatClusterStatus } from './status.ts';
import { withSchemaHash } from './schema-hash.ts';
import { sizeRules } from './storage.ts';

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

/** Longer names would make object and DNS names of their children too long. */
const NAME_MAX = 40;

/** The object to apply. `version` is the version of Parley it belongs to. */
export function chatClusterCrd(version: string) {
  return withSchemaHash({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'parley', 'app.kubernetes.io/version': version } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['chat'],
        categories: ['all'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'A chat cluster: WebSocket replicas behind HAProxy with all they need.',
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(ChatClusterSpec),
                status: structural(ChatClusterStatus),
              },
              'x-kubernetes-validations': [
                {
                  rule: `self.metadata.name.size() <= ${NAME_MAX}`,
                  message: `the name may have at most ${NAME_MAX} characters: names of its parts are made from it`,
                },
                {
                  rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
                  message:
                    'the name must begin with a letter and hold only lower-case letters, digits and dashes: names of Services are made from it',
                },
                backupNameRule,
                ...sizeRules,
              ],
            },
          },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.chat.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Replicas', type: 'integer', jsonPath: '.status.readyReplicas', description: 'Chat replicas that take sockets' },
            { name: 'Connections', type: 'integer', jsonPath: '.status.connections.total', description: 'Sockets of the chat replicas' },
            { name: 'Version', type: 'string', jsonPath: '.status.version' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
            { name: 'P99', type: 'integer', priority: 1, jsonPath: '.status.delivery.p99Ms', description: 'Delivery in ms' },
            { name: 'Lost', type: 'integer', priority: 1, jsonPath: '.status.delivery.lost' },
            { name: 'Reason', type: 'string', priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
          ],
        },
      ],
    },
  });
}

// The page of the ChatCluster: every field of spec and status with type, default, bounds and meaning, and what is refused in words.
import { ChatClusterSpec, ChatClusterStatus, GROUP, KIND, VERSION } from '@parley/operator-api';
import { code, page, prose, table } from './markdown.ts';
import { boundsText, typeText, type Schema } from './schema-text.ts';

export interface Field extends Schema {
  patternProperties?: Record<string, Field>;
  'x-kubernetes-validations'?: { rule: string; message: string }[];
}

interface Row {
  path: string;
  field: Field;
  required: boolean;
}

export function chatClusterPage(): string {
  return page(
    KIND,
    `${code(`apiVersion: ${GROUP}/${VERSION}`)}, short name ${code('chat')}. The smallest valid one is ${code('spec: {}')}: every field below has a default or
may be left out. ${code(`kubectl explain ${KIND.toLowerCase()}.spec`)} says the same on a cluster. Bounds and rules are checked by the API server before anything
is stored; samples are in [charts/samples](../../charts/samples).`,
    '## spec',
    fields(rowsOf(ChatClusterSpec as Field, 'spec', true)),
    '## What is refused besides',
    `Rules over several fields, and over changes of a living cluster.`,
    table(['Field', 'Rule'], rulesOf(ChatClusterSpec as Field, 'spec')),
    '## status',
    fields(rowsOf(ChatClusterStatus as Field, 'status', true)),
  );
}

export function fields(rows: readonly Row[]): string {
  return table(
    ['Field', 'Type', 'Default', 'Bounds', 'Meaning'],
    rows.map(({ path, field, required }) => [
      code(path),
      kindOf(field),
      defaultOf(field, required),
      boundsText(field),
      prose(field.description ?? ''),
    ]),
  );
}

/** A section is told by its fields; what it is for stands in a row of its own. */
export function rowsOf(field: Field, path: string, required: boolean): Row[] {
  if (field.properties) return [...(path.includes('.') ? [{ path, field, required }] : []), ...children(field, path)];
  const items = field.items as Field | undefined;
  if (items?.properties) return [{ path, field, required }, ...children(items, `${path}[]`)];
  return [{ path, field, required }];
}

function children({ properties = {}, required = [] }: Field, path: string): Row[] {
  return Object.entries(properties).flatMap(([name, child]) => rowsOf(child as Field, `${path}.${name}`, required.includes(name)));
}

function kindOf(field: Field): string {
  if (field.patternProperties) return 'map';
  if (field.properties) return 'section';
  const items = field.items as Field | undefined;
  return items?.properties ? 'list of sections' : typeText(field);
}

function defaultOf({ default: value, properties }: Field, required: boolean): string {
  if (properties || value === undefined) return required && !properties ? '**required**' : '';
  return code(JSON.stringify(value));
}

export function rulesOf(field: Field, path: string): string[][] {
  const own = (field['x-kubernetes-validations'] ?? []).map(({ message }) => [code(path), prose(message)]);
  const items = field.items as Field | undefined;
  const below = Object.entries(field.properties ?? {}).flatMap(([name, child]) => rulesOf(child as Field, `${path}.${name}`));
  return [...own, ...below, ...(items ? rulesOf(items, `${path}[]`) : [])];
}

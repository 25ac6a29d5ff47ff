// A JSON Schema in words: its type, and the bounds of its values.
import { code, either } from './markdown.ts';

/** What is read of a schema; TypeBox schemas are such objects. */
export interface Schema {
  type?: string;
  const?: unknown;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  default?: unknown;
  description?: string;
}

export function typeText(schema: Schema): string {
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.anyOf) return either(schema.anyOf.map(typeText));
  if (schema.type === 'array') return `list of ${schema.items ? typeText(schema.items) : 'anything'}`;
  if (schema.properties) {
    const fields = Object.entries(schema.properties).map(([name, field]) => `${code(name)}: ${typeText(field)}`);
    return `object { ${fields.join(', ')} }`;
  }
  return schema.type ?? 'anything';
}

/** Empty when every value of the type is allowed. */
export function boundsText(schema: Schema): string {
  const parts = [range(schema), length(schema), ...(schema.pattern === undefined ? [] : [code(schema.pattern)])];
  if (schema.items) parts.push(...[boundsText(schema.items)].filter(Boolean).map((bounds) => `each ${bounds}`));
  return parts.filter((part) => part !== '').join(', ');
}

function range({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const most = maximum === undefined ? undefined : numberText(maximum);
  if (exclusiveMinimum !== undefined) return most === undefined ? `> ${exclusiveMinimum}` : `> ${exclusiveMinimum} to ${most}`;
  if (minimum === undefined) return most === undefined ? '' : `≤ ${most}`;
  return most === undefined ? `≥ ${minimum}` : `${numberText(minimum)} to ${most}`;
}

function length({ minLength, maxLength }: Schema): string {
  if (maxLength !== undefined) return `${numberText(minLength ?? 0)} to ${numberText(maxLength)} characters`;
  if (minLength === undefined) return '';
  return minLength === 1 ? 'not empty' : `≥ ${minLength} characters`;
}

export function numberText(value: number): string {
  if (value === Number.MAX_SAFE_INTEGER) return '2^53 − 1';
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

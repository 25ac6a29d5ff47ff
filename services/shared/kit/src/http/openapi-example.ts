// One value that follows a schema, for the examples of the OpenAPI document.
import type { TSchema } from '@sinclair/typebox';

interface Shape {
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  anyOf?: TSchema[];
  type?: string;
  properties?: Record<string, TSchema>;
  required?: string[];
  items?: TSchema;
  minItems?: number;
  minimum?: number;
  minLength?: number;
}

/** Schemas with a pattern need an example of their own; optional fields are left out. */
export function exampleOf(schema: TSchema): unknown {
  const shape = schema as Shape;
  if (shape.examples?.length) return shape.examples[0];
  if (shape.const !== undefined) return shape.const;
  if (shape.default !== undefined) return shape.default;
  if (shape.anyOf?.[0]) return exampleOf(shape.anyOf[0]);
  switch (shape.type) {
    case 'object': {
      const fields = Object.entries(shape.properties ?? {}).filter(([name]) => shape.required?.includes(name));
      return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field)]));
    }
    case 'array':
      return shape.items ? [exampleOf(shape.items)] : [];
    case 'integer':
    case 'number':
      return shape.minimum ?? 1;
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return 'text'.padEnd(shape.minLength ?? 0, '.');
  }
}

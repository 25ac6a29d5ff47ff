// Names of the REST schemas, as a document refers to them.
import type { TSchema } from '@sinclair/typebox';
import * as webhooks from './rest-webhooks.ts';
import * as rest from './rest.ts';
import { Entry } from './server-frames.ts';

/** schema -> name */
export const schemaNames: ReadonlyMap<TSchema, string> = new Map(
  Object.entries<TSchema>({ ...rest, ...webhooks, Entry }).map(([name, schema]) => [schema, name]),
);
